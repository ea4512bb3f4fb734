import { QueryTypes, Transaction, type Sequelize } from "sequelize";
import type {
  CheckOptions,
  CheckResult,
  Finding,
  InvariantReader,
  SaleStock,
} from "../domain/consistency.ts";
import { DomainError } from "../domain/errors.ts";
import { isStatementTimeout, notReadyOnOutage } from "./errors.ts";
import { createJudge, type Select } from "./invariant-judge.ts";
import { SQL_LANES, type SqlInvariant } from "./invariants.ts";

/** Sales looked at in Redis. */
const SALES_MAX = 100_000;
/** What the dead letters are asked, beside the invariants. */
const LETTER_RULES = 2;

export interface InvariantReaderOptions {
  /** Connections of its own: a scan of minutes must not hold one that buyers wait for. */
  readonly sequelize: Sequelize;
  readonly elapsed: () => number;
  /** Whether the pool has a second connection to read on at the same time. */
  readonly sideBySide?: true;
  /** How long all of it may take; without it as long as it takes. */
  readonly deadlineMs?: number;
}

/** Reads each invariant in one snapshot (REPEATABLE READ), so that orders being decided meanwhile break none. */
export function createInvariantReader({
  sequelize,
  elapsed,
  sideBySide,
  deadlineMs,
}: InvariantReaderOptions): InvariantReader {
  return { count, results, sales };

  function count(options: CheckOptions): { results: number; passes: number } {
    const rules = rulesOf(SQL_LANES.flat(), options);
    const scans = rules.flatMap(({ sums = [] }) => sums.flatMap((side) => side?.scan ?? []));
    return {
      results: rules.length + LETTER_RULES,
      passes: options.productId === undefined ? new Set(scans).size : 0,
    };
  }

  function results(options: CheckOptions): AsyncGenerator<CheckResult> {
    const until = deadlineMs === undefined ? undefined : elapsed() + deadlineMs;
    const lanes = sideBySide ? SQL_LANES : [SQL_LANES.flat()];
    return merged(
      lanes.map((lane, i) =>
        inSnapshot(rulesOf(lane, options), { options, until, letters: i === lanes.length - 1 }),
      ),
    );
  }

  async function* inSnapshot(
    rules: readonly SqlInvariant[],
    { options, until, letters }: Lane,
  ): AsyncGenerator<CheckResult> {
    const transaction = await sequelize
      .transaction({ isolationLevel: Transaction.ISOLATION_LEVELS.REPEATABLE_READ, readOnly: true })
      .catch(notReadyOnOutage);
    const limitStatement = await statementLimit(plain(transaction));
    try {
      // The first of these reads is the snapshot.
      const judge = createJudge(async (sql) => {
        options.signal?.throwIfAborted();
        if (until !== undefined) await limitStatements(transaction, limitStatement(remaining(until)));
        return await plain(transaction)(sql);
      }, options);
      const steps = rules.map((rule) => () => judge.judge(rule));
      for (const step of letters ? [...steps, judge.onePayload, judge.letters] : steps)
        yield await timed(step);
    } finally {
      // The connection goes back to its pool: what it reads next has its own time.
      if (until !== undefined) await limitStatements(transaction, limitStatement(0)).catch(() => undefined);
      await transaction.rollback().catch(() => undefined);
    }
  }

  async function timed(step: () => Promise<Finding>): Promise<CheckResult> {
    const startedAt = elapsed();
    return { ...(await step()), ms: Math.round(elapsed() - startedAt) };
  }

  async function limitStatements(transaction: Transaction, sql: string): Promise<void> {
    await sequelize.query(sql, { transaction, type: QueryTypes.RAW });
  }

  function remaining(until: number): number {
    const ms = Math.ceil(until - elapsed());
    if (ms > 0) return ms;
    throw tooLong();
  }

  function plain(transaction: Transaction | null): Select {
    return async <Row extends object>(sql: string) =>
      await sequelize
        .query<Row>(sql, { transaction, type: QueryTypes.SELECT })
        .catch((error: unknown): never => {
          if (isStatementTimeout(error)) throw tooLong(error);
          return notReadyOnOutage(error);
        });
  }

  async function sales(productId?: number): Promise<SaleStock[]> {
    const rows = await plain(null)<Omit<SaleStock, "over"> & { over: number }>(
      `SELECT id AS productId, stock, sold, end_time <= UTC_TIMESTAMP(3) AS \`over\`,
         TIMESTAMPDIFF(MICROSECOND, created_at, UTC_TIMESTAMP(3)) DIV 1000 AS ageMs
       FROM products ${productId === undefined ? "" : `WHERE id = ${productId}`} ORDER BY id DESC LIMIT ${SALES_MAX}`,
    );
    return rows.map((row) => ({ ...row, over: row.over === 1 }));
  }
}

interface Lane {
  readonly options: CheckOptions;
  readonly until: number | undefined;
  /** Whether this one also asks the dead letters. */
  readonly letters: boolean;
}

const rulesOf = (lane: readonly SqlInvariant[], { productId }: CheckOptions): readonly SqlInvariant[] =>
  lane.filter(({ wholeOnly }) => productId === undefined || !wholeOnly);

/** What several give, as it comes. When one fails, or nobody asks any more, all of them are ended. */
async function* merged<Item>(sources: readonly AsyncGenerator<Item>[]): AsyncGenerator<Item> {
  const next = async (source: AsyncGenerator<Item>) => ({ source, result: await source.next() });
  const pending = new Map(sources.map((source) => [source, next(source)]));
  try {
    while (pending.size > 0) {
      const { source, result } = await Promise.race(pending.values());
      if (result.done === true) {
        pending.delete(source);
        continue;
      }
      pending.set(source, next(source));
      yield result.value;
    }
  } finally {
    await Promise.allSettled(pending.values());
    await Promise.allSettled([...pending.keys()].map((source) => source.return(undefined)));
  }
}

/** The two relatives name the limit differently, and count it in other units. */
async function statementLimit(select: Select): Promise<(ms: number) => string> {
  const [row] = await select<{ version: string }>("SELECT VERSION() AS version");
  return /mariadb/i.test(row?.version ?? "")
    ? (ms) => `SET SESSION max_statement_time = ${ms / 1_000}`
    : (ms) => `SET SESSION max_execution_time = ${ms}`;
}

function tooLong(cause?: unknown): DomainError {
  const details = { retryAfterS: 60 };
  const sentence = "The checks take longer than they may. Ask for one product, or run npm run verify.";
  return new DomainError("not_ready", sentence, details, { cause });
}
