import { QueryTypes, type Sequelize } from "sequelize";
import { toPage, type Page, type PageRequest } from "../../shared/domain/page.ts";
import type { SettlementReader, SettlementScope } from "../../shared/domain/ports.ts";
import type { Settlement, Total } from "../../shared/domain/settlement.ts";
import { notReadyOnOutage } from "../../shared/mysql/errors.ts";
import { fromSqlInstant } from "../../shared/mysql/instant.ts";

export function createSettlementReader(sequelize: Sequelize): SettlementReader {
  return { list, latest, total };

  async function list(scope: SettlementScope, page: PageRequest<number>): Promise<Page<Settlement, number>> {
    const rows = await newestFirst(scope, page.limit + 1, page.after);
    return toPage(rows, page.limit, ({ id }) => id);
  }

  async function latest(scope: SettlementScope): Promise<Settlement | null> {
    return (await newestFirst(scope, 1))[0] ?? null;
  }

  /** Both scopes are covered by an index that ends in id, so any page costs the same. */
  async function newestFirst(scope: SettlementScope, limit: number, after?: number): Promise<Settlement[]> {
    const conditions = [
      ...(scope.userId === undefined ? [] : ["user_id = :userId"]),
      ...(scope.productId === undefined ? [] : ["product_id = :productId"]),
      ...(after === undefined ? [] : ["id < :after"]),
    ];
    const where = conditions.length > 0 ? `WHERE ${conditions.join(" AND ")}` : "";
    const rows = await sequelize
      .query<SettlementRow>(`SELECT * FROM settlements ${where} ORDER BY id DESC LIMIT :limit`, {
        replacements: { ...scope, after, limit },
        type: QueryTypes.SELECT,
      })
      .catch(notReadyOnOutage);
    return rows.map(toSettlement);
  }

  /** From the running totals: a product with 3 million settlements answers as fast as one with three. */
  async function total(scope: { userId: number } | { productId: number }): Promise<Total[]> {
    const [name, id] = "userId" in scope ? ["user", scope.userId] : ["product", scope.productId];
    return await sequelize
      .query<Total>(
        `SELECT currency, entries AS count, amount FROM settlement_totals
         WHERE scope = :name AND scope_id = :id ORDER BY currency`,
        { replacements: { name, id }, type: QueryTypes.SELECT },
      )
      .catch(notReadyOnOutage);
  }
}

interface SettlementRow {
  readonly id: number;
  readonly order_id: string;
  readonly user_id: number;
  readonly product_id: number;
  readonly type: "charge";
  readonly amount: number;
  readonly currency: string;
  readonly settled_at: Date;
}

function toSettlement(row: SettlementRow): Settlement {
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
