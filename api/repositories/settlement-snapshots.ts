import { QueryTypes, Transaction, type Sequelize } from "sequelize";
import type { SettlementSnapshot, SettlementSnapshots } from "../../shared/domain/ports.ts";
import {
  SUMMARY_ROWS_MAX,
  type DailyTotal,
  type Extent,
  type SummaryPeriod,
} from "../../shared/domain/report.ts";
import type { Settlement, SettlementFilter, Total } from "../../shared/domain/settlement.ts";
import { notReadyOnOutage } from "../../shared/mysql/errors.ts";
import { replacementsOf, toSettlement, whereOf, type SettlementRow } from "./settlement-rows.ts";

/** Rows of one read: small, so that whoever shares the event loop waits for a millisecond. */
const READ_ROWS = 100;

/**
 * @param sequelize of its own, with a connection more than there are snapshots: a report of minutes must not hold one that
 *   buyers wait for, and one more ends the statements of those who have gone
 */
export function createSettlementSnapshots(sequelize: Sequelize): SettlementSnapshots {
  return {
    async open(signal) {
      signal.throwIfAborted();
      const transaction = await sequelize
        .transaction({ isolationLevel: Transaction.ISOLATION_LEVELS.REPEATABLE_READ, readOnly: true })
        .catch(notReadyOnOutage);
      return snapshotOf(sequelize, transaction, signal);
    },
  };
}

type Select = <Row extends object>(sql: string, replacements?: object) => Promise<Row[]>;

async function snapshotOf(
  sequelize: Sequelize,
  transaction: Transaction,
  signal: AbortSignal,
): Promise<SettlementSnapshot> {
  const [session] = await select<{ id: number }>("SELECT CONNECTION_ID() AS id").catch(
    async (error: unknown) => {
      await giveBack();
      throw error;
    },
  );
  let ended: Promise<unknown> = Promise.resolve();
  // A server goes on with a statement that nobody waits for any more.
  const end = (): void => {
    ended = sequelize.query(`KILL QUERY ${Number(session?.id)}`).catch(() => undefined);
  };
  signal.addEventListener("abort", end, { once: true });
  return {
    extent: (filter) => extentOf(select, filter),
    runningTotals: (filter) => runningTotalsOf(select, filter),
    rows: (filter, extent) => rowsOf(select, filter, extent),
    daily: (period) => dailyOf(select, period),
    async close() {
      signal.removeEventListener("abort", end);
      // Not after the connection has gone back: it would hit the statement of the next one.
      await ended;
      await giveBack();
    },
  };

  async function giveBack(): Promise<void> {
    await transaction.rollback().catch(() => undefined);
  }

  async function select<Row extends object>(sql: string, replacements: object = {}): Promise<Row[]> {
    signal.throwIfAborted();
    return await sequelize
      .query<Row>(sql, { replacements: { ...replacements }, transaction, type: QueryTypes.SELECT })
      .catch((error: unknown): never => {
        signal.throwIfAborted();
        return notReadyOnOutage(error);
      });
  }
}

interface CurrencyRow extends Total {
  readonly firstId: number;
  readonly lastId: number;
}

async function extentOf(select: Select, filter: SettlementFilter): Promise<Extent> {
  const rows = await select<CurrencyRow>(
    `SELECT currency, COUNT(*) AS count, CAST(SUM(amount) AS UNSIGNED) AS amount, MIN(id) AS firstId, MAX(id) AS lastId
     FROM settlements ${whereOf(filter)} GROUP BY currency ORDER BY currency`,
    replacementsOf(filter),
  );
  const none = rows.length === 0;
  return {
    firstId: none ? null : Math.min(...rows.map(({ firstId }) => firstId)),
    lastId: none ? null : Math.max(...rows.map(({ lastId }) => lastId)),
    totals: rows.map(({ currency, count, amount }) => ({ currency, count, amount })),
  };
}

async function runningTotalsOf(select: Select, filter: SettlementFilter): Promise<Total[] | null> {
  const { userId, productId, from, to } = filter;
  if (from !== undefined || to !== undefined || (userId !== undefined && productId !== undefined))
    return null;
  const scope = userId === undefined ? "product" : "user";
  const one = userId ?? productId;
  return await select<Total>(
    `SELECT currency, CAST(SUM(entries) AS UNSIGNED) AS count, CAST(SUM(amount) AS UNSIGNED) AS amount
     FROM settlement_totals WHERE scope = :scope ${one === undefined ? "" : "AND scope_id = :one"}
     GROUP BY currency ORDER BY currency`,
    { scope, one },
  );
}

/** Each read goes on behind the row before it, in the one index that has the rows in this order. */
async function* rowsOf(
  select: Select,
  filter: SettlementFilter,
  { firstId, lastId }: Extent,
): AsyncGenerator<readonly Settlement[]> {
  if (firstId === null || lastId === null) return;
  const { userId, productId } = filter;
  const ofProduct = productId === undefined ? "PRIMARY" : "settlements_of_product";
  const index = userId === undefined ? ofProduct : "settlements_of_user";
  const sql = `SELECT id, order_id, user_id, product_id, type, amount, currency, settled_at
    FROM settlements FORCE INDEX (${index}) ${whereOf(filter, "id > :after", "id <= :lastId")}
    ORDER BY id LIMIT ${READ_ROWS}`;
  const replacements = replacementsOf(filter);
  for (let after = firstId - 1; after < lastId;) {
    const rows = await select<SettlementRow>(sql, { ...replacements, after, lastId });
    const last = rows.at(-1);
    if (!last) return;
    yield rows.map(toSettlement);
    after = last.id;
  }
}

async function dailyOf(select: Select, { filter, starts }: SummaryPeriod): Promise<DailyTotal[]> {
  const [first, ...others] = starts;
  // Counted in milliseconds since the first day: the database need not know the time zone.
  const begins = others.map(({ from }) => from - first.from);
  const sinceFirst = "TIMESTAMPDIFF(MICROSECOND, :first, settled_at) DIV 1000";
  const nth = begins.length === 0 ? "0" : `INTERVAL(${sinceFirst}, ${begins.join(", ")})`;
  const rows = await select<Omit<DailyTotal, "day"> & { readonly nth: number }>(
    `SELECT d.nth, d.product_id AS productId, p.title, d.currency, d.count, d.amount
     FROM (SELECT ${nth} AS nth, product_id, currency, COUNT(*) AS count, CAST(SUM(amount) AS UNSIGNED) AS amount
       FROM settlements ${whereOf(filter)} GROUP BY nth, product_id, currency LIMIT ${SUMMARY_ROWS_MAX + 1}) d
     JOIN products p ON p.id = d.product_id
     ORDER BY d.nth, d.product_id, d.currency`,
    { ...replacementsOf(filter), first: replacementsOf({ from: first.from })["from"] },
  );
  return rows.map(({ nth: n, ...total }) => ({ day: starts[n]?.day ?? first.day, ...total }));
}
