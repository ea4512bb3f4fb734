import { amountOf } from "./money.ts";
import { samePayload, type FailReason, type OrderMessage } from "./order.ts";
import type { Product } from "./product.ts";

/** An order already in the database, as far as deciding needs it. */
export interface KnownOrder extends OrderMessage {
  readonly status: "SUCCESS" | "FAILED";
}

export type Decision =
  | { readonly outcome: "SUCCESS"; readonly order: OrderMessage; readonly amount: number }
  | { readonly outcome: "FAILED"; readonly order: OrderMessage; readonly reason: FailReason }
  /** Seen before with the same facts: nothing to write. `as` is how it ended. */
  | { readonly outcome: "DUPLICATE"; readonly order: OrderMessage; readonly as: "SUCCESS" | "FAILED" }
  /** Seen before with other facts: a wrong producer; nothing to write, someone must look. */
  | { readonly outcome: "CONFLICT"; readonly order: OrderMessage; readonly as: "SUCCESS" | "FAILED" };

export interface DecideInput {
  readonly orders: readonly OrderMessage[];
  /** Rows read under their locks. A product that is missing here does not exist. */
  readonly products: ReadonlyMap<number, Product>;
  readonly users: ReadonlySet<number>;
  readonly existing: ReadonlyMap<string, KnownOrder>;
  /** Units each user has of each product in SUCCESS orders, keyed by `boughtKey`. */
  readonly bought: ReadonlyMap<string, number>;
}

export const boughtKey = (productId: number, userId: number): string => `${productId}:${userId}`;

/**
 * Decides a batch of orders, in acceptedAt order (ties by order id). Pure: it never looks at a clock, so that a
 * backlog cannot fail an accepted order, and a second call with the same input gives the same decisions.
 * Each message gets exactly one decision; a copy inside the batch is a duplicate of its first.
 */
export function decide({ orders, products, users, existing, bought }: DecideInput): Decision[] {
  const known = new Map<string, KnownOrder>(existing);
  const units = new Map<string, number>(bought);
  const sold = new Map<number, number>([...products].map(([id, product]) => [id, product.sold]));

  return [...orders].sort(byAcceptance).map((order): Decision => {
    const earlier = known.get(order.orderId);
    if (earlier) {
      const outcome = samePayload(earlier, order) ? "DUPLICATE" : "CONFLICT";
      return { outcome, order, as: earlier.status };
    }
    const reason = reasonToFail(order);
    known.set(order.orderId, { ...order, status: reason ? "FAILED" : "SUCCESS" });
    if (reason) return { outcome: "FAILED", order, reason };
    sold.set(order.productId, (sold.get(order.productId) ?? 0) + order.quantity);
    const key = boughtKey(order.productId, order.userId);
    units.set(key, (units.get(key) ?? 0) + order.quantity);
    return { outcome: "SUCCESS", order, amount: amountOf(order.unitPrice, order.quantity) };
  });

  function reasonToFail(order: OrderMessage): FailReason | undefined {
    const product = products.get(order.productId);
    if (!product) return "unknown_product";
    if (!users.has(order.userId)) return "unknown_user";
    if (order.unitPrice !== product.price || order.currency !== product.currency) return "price_mismatch";
    if (order.acceptedAt < product.startTime || order.acceptedAt >= product.endTime) return "outside_window";
    const had = units.get(boughtKey(order.productId, order.userId)) ?? 0;
    if (had + order.quantity > product.perUserLimit) return "limit_exceeded";
    if ((sold.get(order.productId) ?? 0) + order.quantity > product.stock) return "sold_out";
    return undefined;
  }
}

function byAcceptance(a: OrderMessage, b: OrderMessage): number {
  return a.acceptedAt - b.acceptedAt || (a.orderId < b.orderId ? -1 : a.orderId > b.orderId ? 1 : 0);
}
