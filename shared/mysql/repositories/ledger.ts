import { QueryTypes, type Sequelize } from "sequelize";
import type { Ledger, ProductCounters } from "../../domain/ports.ts";
import type { Product } from "../../domain/product.ts";
import { existingOrders, lockProducts } from "../decided-orders.ts";
import { transact } from "../transaction.ts";

const BOUGHT_ROWS_PER_READ = 2_000;

export function createLedger(sequelize: Sequelize): Ledger {
  return {
    decided: (orderIds) => existingOrders(sequelize, null, orderIds),
    whileLocked,
    boughtByProduct,
  };

  function whileLocked<T>(productId: number, work: (product: Product) => Promise<T>): Promise<T | null> {
    return transact(sequelize, async (transaction) => {
      const product = (await lockProducts(sequelize, transaction, [productId])).get(productId);
      return product ? await work(product) : null;
    });
  }

  async function* boughtByProduct(productId: number): ProductCounters["bought"] {
    for (let after = 0; ;) {
      const rows = await sequelize.query<{ userId: number; quantity: number }>(
        `SELECT user_id AS userId, CAST(SUM(quantity) AS UNSIGNED) AS quantity FROM orders
         WHERE product_id = :productId AND status = 'SUCCESS' AND user_id > :after
         GROUP BY user_id ORDER BY user_id LIMIT ${BOUGHT_ROWS_PER_READ}`,
        { replacements: { productId, after }, type: QueryTypes.SELECT },
      );
      yield rows;
      const last = rows.at(-1);
      if (!last || rows.length < BOUGHT_ROWS_PER_READ) return;
      after = last.userId;
    }
  }
}
