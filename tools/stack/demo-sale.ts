import { StackFailure } from "./failure.ts";

const TIMEOUT_MS = 10_000;
const DAY_MS = 86_400_000;
const DEMO = { title: "Demo sale: FlashPay mug", price: 12_900, stock: 100 };

export type Credentials = { username: string; password: string };

/** Something to order from the first minute on: the id of an open sale, made only when there is none. */
export async function openDemoSale(apiUrl: string, admin: Credentials): Promise<string> {
  const open = listOf(await call(apiUrl, "GET", "/api/products")).find(
    (product) => field(product, "state") === "open",
  );
  if (open !== undefined) return idOf(open);
  const token = field(await call(apiUrl, "POST", "/api/users/login", admin), "accessToken");
  const now = Date.now();
  const sale = {
    ...DEMO,
    startTime: new Date(now).toISOString(),
    endTime: new Date(now + DAY_MS).toISOString(),
  };
  return idOf(await call(apiUrl, "POST", "/api/products", sale, String(token)));
}

/** A first order, for copy and paste. The password is made up on the spot: not even an example has a fixed one. */
export function firstOrder(apiUrl: string, productId: string): string {
  const id = /^\d+$/.test(productId) ? productId : `\\"${productId}\\"`;
  return `API=${apiUrl}/api JSON='content-type: application/json' BUYER=buyer-$(date +%s) PASSWORD=$(node -p "crypto.randomUUID()")
curl -s $API/users/signup -H "$JSON" -d "{\\"username\\":\\"$BUYER\\",\\"email\\":\\"$BUYER@example.com\\",\\"password\\":\\"$PASSWORD\\"}"; echo
TOKEN=$(curl -s $API/users/login -H "$JSON" -d "{\\"username\\":\\"$BUYER\\",\\"password\\":\\"$PASSWORD\\"}" | sed 's/.*"accessToken":"\\([^"]*\\)".*/\\1/')
ORDER=$(curl -s $API/orders -H "authorization: Bearer $TOKEN" -H "$JSON" -d "{\\"productId\\":${id}}" | sed 's/.*"orderId":"\\([^"]*\\)".*/\\1/')
sleep 1; curl -s $API/orders/$ORDER -H "authorization: Bearer $TOKEN"; echo
`;
}

/** The `data` of a success; what the API refused becomes a sentence. */
async function call(
  apiUrl: string,
  method: string,
  path: string,
  body?: object,
  token?: string,
): Promise<unknown> {
  const response = await fetch(`${apiUrl}${path}`, {
    method,
    headers: {
      ...(body && { "content-type": "application/json" }),
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
    },
    ...(body && { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  const answer: unknown = await response.json();
  if (response.ok) return field(answer, "data");
  throw new StackFailure(
    `${method} ${path} answered ${String(response.status)}: ${String(field(answer, "detail"))}`,
  );
}

function field(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}

function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? (value as unknown[]) : [];
}

function idOf(product: unknown): string {
  return String(field(product, "id"));
}
