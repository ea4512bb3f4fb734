import type { FailReason, OrderStatus } from "./order.ts";

/** What was charged for one order. Written once, never changed. */
export interface Settlement {
  readonly id: number;
  readonly orderId: string;
  readonly userId: number;
  readonly productId: number;
  readonly type: "charge";
  /** Smallest unit of `currency`. */
  readonly amount: number;
  readonly currency: string;
  /** Epoch milliseconds. */
  readonly settledAt: number;
}

/** Running total of one currency, kept in the transaction that writes the settlements. */
export interface Total {
  readonly currency: string;
  readonly count: number;
  readonly amount: number;
}

/** Which settlements; all that is given must hold. `from` inclusive, `to` exclusive, epoch ms. */
export interface SettlementFilter {
  readonly userId?: number;
  readonly productId?: number;
  readonly from?: number;
  readonly to?: number;
}

/** An order as its owner reads it: PENDING from Redis, decided from MySQL. */
export interface OrderView {
  readonly orderId: string;
  readonly userId: number;
  readonly productId: number;
  readonly status: OrderStatus;
  readonly quantity: number;
  readonly unitPrice: number;
  readonly currency: string;
  readonly acceptedAt: number;
  readonly decidedAt?: number;
  readonly failReason?: FailReason;
  readonly settlement?: Pick<Settlement, "id" | "amount" | "settledAt">;
}
