import { QueryTypes, type Sequelize } from "sequelize";
import { toPage, type Page, type PageRequest } from "../../shared/domain/page.ts";
import type { SettlementReader } from "../../shared/domain/ports.ts";
import type { Settlement, SettlementFilter, Total } from "../../shared/domain/settlement.ts";
import { notReadyOnOutage } from "../../shared/mysql/errors.ts";
import { replacementsOf, toSettlement, whereOf, type SettlementRow } from "./settlement-rows.ts";

export function createSettlementReader(sequelize: Sequelize): SettlementReader {
  return { list, latest, total };

  async function list(
    filter: SettlementFilter,
    page: PageRequest<number>,
  ): Promise<Page<Settlement, number>> {
    const rows = await newestFirst(filter, page.limit + 1, page.after);
    return toPage(rows, page.limit, ({ id }) => id);
  }

  async function latest(filter: SettlementFilter): Promise<Settlement | null> {
    return (await newestFirst(filter, 1))[0] ?? null;
  }

  /** User and product are covered by an index that ends in id, so any page costs the same; a period adds what it holds. */
  async function newestFirst(filter: SettlementFilter, limit: number, after?: number): Promise<Settlement[]> {
    const where = whereOf(filter, ...(after === undefined ? [] : ["id < :after"]));
    const rows = await sequelize
      .query<SettlementRow>(`SELECT * FROM settlements ${where} ORDER BY id DESC LIMIT :limit`, {
        replacements: { ...replacementsOf(filter), after, limit },
        type: QueryTypes.SELECT,
      })
      .catch(notReadyOnOutage);
    return rows.map(toSettlement);
  }

  /**
   * From the running totals: a product with 3 million settlements answers as fast as one with three. Those of all products
   * are the totals of all, since each settlement has one product; one statement reads them as they stood at one instant.
   */
  async function total(scope: Parameters<SettlementReader["total"]>[0]): Promise<Total[]> {
    if (scope === "all") return await totalOfAll();
    const [name, id] = "userId" in scope ? ["user", scope.userId] : ["product", scope.productId];
    return await sequelize
      .query<Total>(
        `SELECT currency, entries AS count, amount FROM settlement_totals
         WHERE scope = :name AND scope_id = :id ORDER BY currency`,
        { replacements: { name, id }, type: QueryTypes.SELECT },
      )
      .catch(notReadyOnOutage);
  }

  async function totalOfAll(): Promise<Total[]> {
    return await sequelize
      .query<Total>(
        `SELECT currency, CAST(SUM(entries) AS UNSIGNED) AS count, CAST(SUM(amount) AS UNSIGNED) AS amount
         FROM settlement_totals WHERE scope = 'product' GROUP BY currency ORDER BY currency`,
        { type: QueryTypes.SELECT },
      )
      .catch(notReadyOnOutage);
  }
}
