import { setTimeout as delay } from "node:timers/promises";
import type { Sequelize, Transaction } from "sequelize";
import { DomainError } from "../domain/errors.ts";
import { databaseFailure, UniqueConstraintError } from "./errors.ts";

const TRANSACTION_ATTEMPTS_MAX = 5;
const RETRY_DELAY_MAX_MS = 200;

/**
 * Runs `work` in a transaction, and the whole of it again when it met another one; so `work` touches nothing else.
 * @throws DomainError `not_ready` when the database is away or too contended (nothing of this transaction, or all of
 *   it, is stored: repeat it), `validation_failed` when it refuses a row; anything else as it is.
 */
export async function transact<T>(
  sequelize: Sequelize,
  work: (transaction: Transaction) => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await sequelize.transaction(work);
    } catch (error) {
      // A unique key hit means another worker was first: the next attempt reads its row.
      const again = databaseFailure(error) === "contention" || error instanceof UniqueConstraintError;
      if (!again || attempt === TRANSACTION_ATTEMPTS_MAX) throw translated(error);
      await delay(Math.random() * RETRY_DELAY_MAX_MS);
    }
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
