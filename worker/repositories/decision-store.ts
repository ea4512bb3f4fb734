import { setTimeout as delay } from "node:timers/promises";
import type { Sequelize } from "sequelize";
import { QueryTypes } from "sequelize";
import { DomainError } from "../../shared/domain/errors.ts";
import type { DecisionStore, DecisionWriter, ProductCounters } from "../../shared/domain/ports.ts";
import type { Product } from "../../shared/domain/product.ts";
import { databaseFailure, UniqueConstraintError } from "../../shared/mysql/errors.ts";
import { createDecisionWriter } from "./decision-writer.ts";

const TRANSACTION_ATTEMPTS_MAX = 5;
const RETRY_DELAY_MAX_MS = 200;
const BOUGHT_ROWS_PER_READ = 2_000;

/** Transactions of the worker, and the few reads that need none. */
export function createDecisionStore(sequelize: Sequelize): DecisionStore {
  return { transaction, decided, whileLocked, boughtByProduct, deadLetterCount };

  /**
   * @throws DomainError `not_ready` when the database is away or too contended (nothing of this transaction, or all of
   *   it, is stored: repeat it), `validation_failed` when it refuses a row; anything else as it is.
   */
  async function transaction<T>(work: (writer: DecisionWriter) => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await sequelize.transaction((tx) => work(createDecisionWriter(sequelize, tx)));
      } catch (error) {
        // A unique key hit means another worker was first: the next attempt reads its row.
        const again = databaseFailure(error) === "contention" || error instanceof UniqueConstraintError;
        if (!again || attempt === TRANSACTION_ATTEMPTS_MAX) throw translated(error);
        await delay(Math.random() * RETRY_DELAY_MAX_MS);
      }
    }
  }

  function decided(orderIds: readonly string[]) {
    return createDecisionWriter(sequelize, null).existingOrders(orderIds);
  }

  function whileLocked<T>(productId: number, work: (product: Product) => Promise<T>): Promise<T | null> {
    return transaction(async (writer) => {
      const product = (await writer.lockProducts([productId])).get(productId);
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

  async function deadLetterCount(): Promise<number> {
    const [row] = await sequelize.query<{ letters: number }>("SELECT COUNT(*) AS letters FROM dead_letters", {
      type: QueryTypes.SELECT,
    });
    return row?.letters ?? 0;
  }
}

function translated(error: unknown): unknown {
  switch (databaseFailure(error)) {
    case "outage":
    case "contention":
      return new DomainError("not_ready", "The database did not take the batch.", {}, { cause: error });
    case "data":
      return new DomainError("validation_failed", "The database refuses a row.", {}, { cause: error });
    case "other":
      return error;
  }
}
