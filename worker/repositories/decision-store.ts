import { QueryTypes, type Sequelize } from "sequelize";
import type { DecisionStore } from "../../shared/domain/ports.ts";
import { fromSqlInstant } from "../../shared/mysql/instant.ts";
import { createLedger } from "../../shared/mysql/repositories/ledger.ts";
import { transact } from "../../shared/mysql/transaction.ts";
import { createDecisionWriter } from "./decision-writer.ts";

/**
 * Transactions of the worker, and the few reads that need none.
 * @param afterOrderInsert called within each transaction between the orders and their settlements; tests stop here
 */
export function createDecisionStore(
  sequelize: Sequelize,
  afterOrderInsert: () => void = () => undefined,
): DecisionStore {
  return {
    ...createLedger(sequelize),
    transaction: (work) =>
      transact(sequelize, (tx) => work(createDecisionWriter(sequelize, tx, afterOrderInsert))),
    deadLetterCount,
    oldestDeadLetterAt,
  };

  async function deadLetterCount(): Promise<number> {
    const [row] = await sequelize.query<{ letters: number }>(
      "SELECT COUNT(*) AS letters FROM dead_letters WHERE status = 'parked'",
      { type: QueryTypes.SELECT },
    );
    return row?.letters ?? 0;
  }

  async function oldestDeadLetterAt(): Promise<number | null> {
    const [row] = await sequelize.query<{ oldest: Date | null }>(
      "SELECT MIN(parked_at) AS oldest FROM dead_letters WHERE status = 'parked'",
      { type: QueryTypes.SELECT },
    );
    return row?.oldest ? fromSqlInstant(row.oldest) : null;
  }
}
