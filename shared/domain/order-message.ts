import { PER_USER_LIMIT_MAX, PRICE_MAX } from "./money.ts";
import { isOrderId, type OrderMessage } from "./order.ts";

/** Longest message value that is read, in bytes. A true one has under 300. */
export const MESSAGE_BYTES_MAX = 4096;

/** Whatever a message that cannot be decided still tells, so that its order can be failed by name. */
export interface NamedOrder {
  readonly orderId: string;
  readonly userId: number;
  readonly productId: number;
}

export type ParsedMessage =
  | { readonly ok: true; readonly order: OrderMessage }
  | { readonly ok: false; readonly error: string; readonly named?: NamedOrder };

/** Reads one message value (UTF-8 JSON). Never throws: a wrong producer must not stop the partition. */
export function parseOrderMessage(value: string | null): ParsedMessage {
  if (value === null || value === "") return { ok: false, error: "the value is empty" };
  let json: unknown;
  try {
    json = JSON.parse(value);
  } catch {
    return { ok: false, error: "the value is not JSON" };
  }
  if (typeof json !== "object" || json === null || Array.isArray(json)) {
    return { ok: false, error: "the value is not a JSON object" };
  }
  const fields = json as Record<string, unknown>;
  const problem = problemOf(fields);
  if (problem === undefined) return { ok: true, order: toMessage(fields as unknown as OrderMessage) };
  const named = nameOf(fields);
  return named ? { ok: false, error: problem, named } : { ok: false, error: problem };
}

function problemOf(fields: Record<string, unknown>): string | undefined {
  if (fields["v"] !== 1) return "unknown version";
  if (!isOrderId(fields["orderId"])) return "orderId is missing or not an order id";
  if (!isCount(fields["userId"])) return "userId is not a positive integer";
  if (!isCount(fields["productId"])) return "productId is not a positive integer";
  if (!isCount(fields["quantity"], PER_USER_LIMIT_MAX)) return "quantity is out of range";
  if (!isCount(fields["unitPrice"], PRICE_MAX)) return "unitPrice is out of range";
  if (typeof fields["currency"] !== "string" || !/^[A-Z]{3}$/.test(fields["currency"])) {
    return "currency is not an ISO 4217 code";
  }
  if (!isCount(fields["acceptedAt"], INSTANT_MAX)) return "acceptedAt is not an instant";
  return undefined;
}

/** 9999-12-31T23:59:59.999Z: the last instant that the database's DATETIME holds. */
const INSTANT_MAX = 253_402_300_799_999;

/** MySQL BIGINT UNSIGNED holds more, JavaScript does not. */
export function isCount(value: unknown, max = Number.MAX_SAFE_INTEGER): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 1 && (value as number) <= max;
}

function nameOf({ orderId, userId, productId }: Record<string, unknown>): NamedOrder | undefined {
  return isOrderId(orderId) && isCount(userId) && isCount(productId)
    ? { orderId, userId, productId }
    : undefined;
}

/** Only the fields that are ours: what else a producer added must not reach a comparison or a row. */
function toMessage(m: OrderMessage): OrderMessage {
  const { v, orderId, userId, productId, quantity, unitPrice, currency, acceptedAt } = m;
  return { v, orderId, userId, productId, quantity, unitPrice, currency, acceptedAt };
}
