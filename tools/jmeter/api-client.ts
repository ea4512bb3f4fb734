import { reason, StackFailure } from "../stack/failure.ts";

const TIMEOUT_MS = 10_000;

export type ApiClient = ReturnType<typeof createApiClient>;

/** The API as an administrator and an operator see it. What it refuses becomes a sentence. */
export function createApiClient(url: string, admin: { username: string; password: string }) {
  return {
    /** Opens a sale through the front door; its id. */
    async openSale(title: string, stock: number): Promise<number> {
      const { accessToken } = (await call("POST", "/api/users/login", { body: admin })) as {
        accessToken: string;
      };
      const startTime = new Date().toISOString();
      const body = { title, price: 12_900, stock, startTime };
      const { id } = (await call("POST", "/api/products", { body, token: accessToken })) as { id: number };
      const { state } = (await call("GET", `/api/products/${String(id)}`)) as { state: string };
      if (state !== "open")
        throw new StackFailure(`The sale of product ${String(id)} is ${state}, not open.`);
      return id;
    },
    async order(productId: number, token: string): Promise<void> {
      await call("POST", "/api/orders", { body: { productId }, token });
    },
  };

  /** The `data` of a success. */
  async function call(
    method: string,
    path: string,
    { body, token }: { body?: object; token?: string } = {},
  ): Promise<unknown> {
    const response = await ask(`${url}${path}`, {
      method,
      headers: {
        ...(body && { "content-type": "application/json" }),
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
      },
      ...(body && { body: JSON.stringify(body) }),
    });
    const answer = (await response.json()) as { data?: unknown; detail?: string };
    if (response.ok) return answer.data;
    throw new StackFailure(`${method} ${path} answered ${String(response.status)}: ${answer.detail ?? ""}`);
  }
}

/** The text of a program's /metrics. */
export async function scrape(url: string): Promise<string> {
  const response = await ask(`${url}/metrics`, {});
  if (response.ok) return response.text();
  throw new StackFailure(
    `${url}/metrics answered ${String(response.status)}: METRICS=on lets the figures be checked.`,
  );
}

async function ask(url: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(url, { ...init, signal: AbortSignal.timeout(TIMEOUT_MS) });
  } catch (error) {
    const cause = error instanceof Error ? (error.cause ?? error) : error;
    throw new StackFailure(`${url} does not answer: ${reason(cause)}.`);
  }
}
