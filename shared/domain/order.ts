/** The life of an order: statuses, what may follow what, and the message that carries it (contract §3, §4). */

/**
 * What may follow each status; a terminal status has nothing after it. Readers ask this table, so it can grow
 * (CANCELED, REFUNDED, AWAITING_PAYMENT) without touching them. Repeated in SQL as `WHERE status = :from`.
 */
export const ORDER_TRANSITIONS = {
  PENDING: ["SUCCESS", "FAILED"],
  SUCCESS: [],
  FAILED: [],
} as const satisfies Record<string, readonly string[]>;

export type OrderStatus = keyof typeof ORDER_TRANSITIONS;
export const ORDER_STATUSES = Object.keys(ORDER_TRANSITIONS) as OrderStatus[];

export function mayFollow(from: OrderStatus, to: OrderStatus): boolean {
  return (ORDER_TRANSITIONS[from] as readonly OrderStatus[]).includes(to);
}

export const isTerminal = (status: OrderStatus): boolean => ORDER_TRANSITIONS[status].length === 0;

export const FAIL_REASONS = [
  "sold_out",
  "limit_exceeded",
  "outside_window",
  "price_mismatch",
  "unknown_product",
  "unknown_user",
  "invalid_message",
] as const;
export type FailReason = (typeof FAIL_REASONS)[number];

/** Value of a message on the orders topic. */
export interface OrderMessage {
  readonly v: 1;
  readonly orderId: string;
  readonly userId: number;
  readonly productId: number;
  readonly quantity: number;
  /** Smallest unit of `currency`, as the server priced it when it reserved. */
  readonly unitPrice: number;
  readonly currency: string;
  /** Epoch milliseconds by Redis' clock: the only clock that judges the sale window. */
  readonly acceptedAt: number;
}

/** The same order, told twice, must carry the same facts (invariant I10). */
export function samePayload(a: OrderMessage, b: OrderMessage): boolean {
  return (
    a.orderId === b.orderId &&
    a.userId === b.userId &&
    a.productId === b.productId &&
    a.quantity === b.quantity &&
    a.unitPrice === b.unitPrice &&
    a.currency === b.currency &&
    a.acceptedAt === b.acceptedAt
  );
}

const ORDER_ID = /^[0-9a-f]{8}-[0-9a-f]{4}-[78][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** Lower-case UUID of version 7 (no Idempotency-Key) or 8 (derived from one); see order-id.ts. */
export const isOrderId = (value: unknown): value is string =>
  typeof value === "string" && ORDER_ID.test(value);
