import { QueryTypes, type Sequelize, type Transaction } from "sequelize";
import type { SaleStore, SaleWriter } from "../../shared/domain/ports.ts";
import { lockProducts } from "../../shared/mysql/decided-orders.ts";
import { toSqlInstant } from "../../shared/mysql/instant.ts";
import { transact } from "../../shared/mysql/transaction.ts";
import { createAuditTrail } from "./audit-trail.ts";

export function createSaleStore(sequelize: Sequelize, now: () => number): SaleStore {
  return {
    transaction: (work) => transact(sequelize, (tx) => work(createWriter(sequelize, tx, now))),
  };
}

function createWriter(sequelize: Sequelize, transaction: Transaction, now: () => number): SaleWriter {
  return {
    async lock(id) {
      return (await lockProducts(sequelize, transaction, [id])).get(id) ?? null;
    },

    async write({ id, title, stock, endTime }) {
      const [, changed] = await sequelize.query(
        `UPDATE products SET title = :title, stock = :stock, end_time = :endTime
         WHERE id = :id AND stock <= :stock AND end_time >= :endTime`,
        {
          replacements: { id, title, stock, endTime: toSqlInstant(endTime) },
          transaction,
          type: QueryTypes.UPDATE,
        },
      );
      if (changed !== 1) throw new Error(`Product ${id} does not take its change under its own lock.`);
    },

    record: createAuditTrail(sequelize, now, transaction).record,
  };
}
