import { QueryTypes, type Sequelize } from "sequelize";
import type { LiveReader } from "../../shared/domain/ports.ts";
import { notReadyOnOutage } from "../../shared/mysql/errors.ts";
import { toSqlInstant } from "../../shared/mysql/instant.ts";
import { toProduct, type ProductRow } from "../../shared/mysql/product-row.ts";

/** Numbers that cost the same whatever the size of the tables. */
export function createLiveReader(sequelize: Sequelize): LiveReader {
  return {
    /** One statement sees one instant: of two, the second would know what was settled in between. */
    async sales(at, endedWithinMs, limit) {
      const rows = await sequelize
        .query<ProductRow & { settled: number }>(
          `SELECT p.*, (SELECT CAST(COALESCE(SUM(t.entries), 0) AS UNSIGNED) FROM settlement_totals t
             WHERE t.scope = 'product' AND t.scope_id = p.id) AS settled
           FROM products p WHERE p.end_time > :since ORDER BY p.id DESC LIMIT :limit`,
          {
            replacements: { since: toSqlInstant(at - endedWithinMs), limit },
            type: QueryTypes.SELECT,
          },
        )
        .catch(notReadyOnOutage);
      return rows.map((row) => ({ ...toProduct(row), settled: row.settled }));
    },

    async parkedLetters() {
      const [row] = await sequelize
        .query<{ letters: number }>("SELECT COUNT(*) AS letters FROM dead_letters WHERE status = 'parked'", {
          type: QueryTypes.SELECT,
        })
        .catch(notReadyOnOutage);
      return row?.letters ?? 0;
    },
  };
}
