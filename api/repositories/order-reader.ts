import { QueryTypes, type Sequelize } from "sequelize";
import type { FailReason, OrderStatus } from "../../shared/domain/order.ts";
import type { OrderReader } from "../../shared/domain/ports.ts";
import type { OrderView } from "../../shared/domain/settlement.ts";
import { notReadyOnOutage } from "../../shared/mysql/errors.ts";
import { fromSqlInstant, toSqlInstant } from "../../shared/mysql/instant.ts";

const COLUMNS = `o.id, o.user_id, o.product_id, o.status, o.fail_reason, o.quantity, o.unit_price, o.currency,
  o.accepted_at, o.decided_at, s.id AS settlement_id, s.amount, s.settled_at`;
const FROM = "FROM orders o LEFT JOIN settlements s ON s.order_id = o.id";

export function createOrderReader(sequelize: Sequelize): OrderReader {
  return { findById, list, findDecided, decidedAmong };

  async function findById(orderId: string): Promise<OrderView | null> {
    const [row] = await select(`SELECT ${COLUMNS} ${FROM} WHERE o.id = :orderId`, { orderId });
    return row ?? null;
  }

  function list(...[filter, { limit, after }]: Parameters<OrderReader["list"]>): Promise<OrderView[]> {
    const conditions = ["o.user_id = :userId"];
    if (filter.status !== undefined) conditions.push("o.status = :status");
    if (filter.productId !== undefined) conditions.push("o.product_id = :productId");
    if (after)
      conditions.push("(o.accepted_at < :acceptedAt OR (o.accepted_at = :acceptedAt AND o.id < :orderId))");
    const position = after && { acceptedAt: toSqlInstant(after[0]), orderId: after[1] };
    return select(
      `SELECT ${COLUMNS} ${FROM} WHERE ${conditions.join(" AND ")}
       ORDER BY o.accepted_at DESC, o.id DESC LIMIT :limit`,
      { ...filter, ...position, limit },
    );
  }

  async function findDecided(orderIds: readonly string[]): Promise<OrderView[]> {
    if (orderIds.length === 0) return [];
    return await select(`SELECT ${COLUMNS} ${FROM} WHERE o.id IN (:orderIds)`, { orderIds });
  }

  async function decidedAmong(orderIds: readonly string[]): Promise<ReadonlySet<string>> {
    if (orderIds.length === 0) return new Set();
    const rows = await sequelize
      .query<{ id: string }>("SELECT id FROM orders WHERE id IN (:orderIds)", {
        replacements: { orderIds },
        type: QueryTypes.SELECT,
      })
      .catch(notReadyOnOutage);
    return new Set(rows.map(({ id }) => id));
  }

  async function select(sql: string, replacements: Record<string, unknown>): Promise<OrderView[]> {
    const rows = await sequelize
      .query<OrderRow>(sql, { replacements, type: QueryTypes.SELECT })
      .catch(notReadyOnOutage);
    return rows.map(toView);
  }
}

interface OrderRow {
  readonly id: string;
  readonly user_id: number;
  readonly product_id: number;
  readonly status: Exclude<OrderStatus, "PENDING">;
  readonly fail_reason: FailReason | null;
  readonly quantity: number | null;
  readonly unit_price: number | null;
  readonly currency: string | null;
  readonly accepted_at: Date;
  readonly decided_at: Date;
  readonly settlement_id: number | null;
  readonly amount: number | null;
  readonly settled_at: Date | null;
}

function toView(row: OrderRow): OrderView {
  return {
    orderId: row.id,
    userId: row.user_id,
    productId: row.product_id,
    status: row.status,
    quantity: row.quantity ?? 0,
    unitPrice: row.unit_price ?? 0,
    currency: row.currency ?? "KRW",
    acceptedAt: fromSqlInstant(row.accepted_at),
    decidedAt: fromSqlInstant(row.decided_at),
    ...(row.fail_reason && { failReason: row.fail_reason }),
    ...(row.settlement_id !== null &&
      row.amount !== null &&
      row.settled_at !== null && {
        settlement: { id: row.settlement_id, amount: row.amount, settledAt: fromSqlInstant(row.settled_at) },
      }),
  };
}
