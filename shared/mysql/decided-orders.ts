import { QueryTypes, type Sequelize, type Transaction } from "sequelize";
import type { KnownOrder } from "../domain/decide.ts";
import type { Product } from "../domain/product.ts";
import { fromSqlInstant } from "./instant.ts";
import { toProduct, type ProductRow } from "./product-row.ts";

/** Locks the rows in id order (`FOR UPDATE`) and holds them until the end of the transaction. */
export async function lockProducts(
  sequelize: Sequelize,
  transaction: Transaction | null,
  ids: readonly number[],
): Promise<ReadonlyMap<number, Product>> {
  if (ids.length === 0) return new Map();
  // ORDER BY id: every worker takes these locks in the same order, so no deadlock can form.
  const rows = await sequelize.query<ProductRow>(
    "SELECT * FROM products WHERE id IN (:ids) ORDER BY id FOR UPDATE",
    { replacements: { ids }, transaction, type: QueryTypes.SELECT },
  );
  return new Map(rows.map((row) => [row.id, toProduct(row)]));
}

/** Those of these orders that are decided, with the facts they were decided on. */
export async function existingOrders(
  sequelize: Sequelize,
  transaction: Transaction | null,
  ids: readonly string[],
): Promise<ReadonlyMap<string, KnownOrder>> {
  if (ids.length === 0) return new Map();
  const rows = await sequelize.query<ExistingRow>(
    `SELECT id, user_id, product_id, status, quantity, unit_price, currency, accepted_at
     FROM orders WHERE id IN (:ids)`,
    { replacements: { ids }, transaction, type: QueryTypes.SELECT },
  );
  return new Map(rows.map((row) => [row.id, toKnown(row)]));
}

interface ExistingRow {
  readonly id: string;
  readonly user_id: number;
  readonly product_id: number;
  readonly status: "SUCCESS" | "FAILED";
  readonly quantity: number | null;
  readonly unit_price: number | null;
  readonly currency: string | null;
  readonly accepted_at: Date;
}

/** An order failed as unreadable has no facts; zeros make every later copy of its id differ from it. */
function toKnown(row: ExistingRow): KnownOrder {
  return {
    v: 1,
    orderId: row.id,
    userId: row.user_id,
    productId: row.product_id,
    quantity: row.quantity ?? 0,
    unitPrice: row.unit_price ?? 0,
    currency: row.currency ?? "",
    acceptedAt: fromSqlInstant(row.accepted_at),
    status: row.status,
  };
}
