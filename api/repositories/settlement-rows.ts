import type { Settlement, SettlementFilter } from "../../shared/domain/settlement.ts";
import { fromSqlInstant, toSqlInstant } from "../../shared/mysql/instant.ts";

export interface SettlementRow {
  readonly id: number;
  readonly order_id: string;
  readonly user_id: number;
  readonly product_id: number;
  readonly type: "charge";
  readonly amount: number;
  readonly currency: string;
  readonly settled_at: Date;
}

export function toSettlement(row: SettlementRow): Settlement {
  return {
    id: row.id,
    orderId: row.order_id,
    userId: row.user_id,
    productId: row.product_id,
    type: row.type,
    amount: row.amount,
    currency: row.currency,
    settledAt: fromSqlInstant(row.settled_at),
  };
}

/** What a filter asks of a row, besides what the caller asks, with names for `replacementsOf`. */
export function whereOf({ userId, productId, from, to }: SettlementFilter, ...more: string[]): string {
  const conditions = [
    ...(userId === undefined ? [] : ["user_id = :userId"]),
    ...(productId === undefined ? [] : ["product_id = :productId"]),
    ...(from === undefined ? [] : ["settled_at >= :from"]),
    ...(to === undefined ? [] : ["settled_at < :to"]),
    ...more,
  ];
  return conditions.length > 0 ? `WHERE ${conditions.join(" AND ")}` : "";
}

export function replacementsOf({ userId, productId, from, to }: SettlementFilter): Record<string, unknown> {
  return {
    ...{ userId, productId },
    ...(from !== undefined && { from: toSqlInstant(from) }),
    ...(to !== undefined && { to: toSqlInstant(to) }),
  };
}
