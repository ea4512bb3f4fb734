import { QueryTypes, type Sequelize } from "sequelize";
import type { LiveReader } from "../../shared/domain/ports.ts";
import { notReadyOnOutage } from "../../shared/mysql/errors.ts";

/** Numbers that cost the same whatever the size of the tables. */
export function createLiveReader(sequelize: Sequelize): LiveReader {
  return {
    async settled(productIds) {
      if (productIds.length === 0) return new Map();
      const rows = await sequelize
        .query<{ id: number; entries: number }>(
          `SELECT scope_id AS id, CAST(SUM(entries) AS UNSIGNED) AS entries FROM settlement_totals
           WHERE scope = 'product' AND scope_id IN (:productIds) GROUP BY scope_id`,
          { replacements: { productIds }, type: QueryTypes.SELECT },
        )
        .catch(notReadyOnOutage);
      return new Map(rows.map(({ id, entries }) => [id, entries]));
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
