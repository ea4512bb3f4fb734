import { setTimeout as delay } from "node:timers/promises";
import type { Connection, RowDataPacket } from "mysql2/promise";
import { percentilesOf, type Percentiles } from "./percentiles.ts";

const POLL_MS = 200;
const SETTLE_DEADLINE_MS = 120_000;

export type Ledger = {
  settled: number;
  succeeded: number;
  failed: number;
  /** Milliseconds from the acceptance to the decision of each SUCCESS, exact: both instants stand in its row. */
  decisionMs: Percentiles | undefined;
  /** Epoch milliseconds; undefined when nothing was decided. */
  lastDecidedAt: number | undefined;
};

/** Waits until so many orders of the sale are settled, or no longer than the deadline; then reads what there is. */
export async function readWhenSettled(
  database: Connection,
  productId: number,
  accepted: number,
): Promise<Ledger> {
  const end = performance.now() + SETTLE_DEADLINE_MS;
  while ((await countSettled(database, productId)) < accepted && performance.now() < end)
    await delay(POLL_MS);
  const settled = await countSettled(database, productId);
  // Counted from the epoch inside the database: no time zone of a connection can get in between.
  const [rows] = await database.query<RowDataPacket[]>(
    `SELECT status, TIMESTAMPDIFF(MICROSECOND, accepted_at, decided_at) AS tookUs,
       TIMESTAMPDIFF(MICROSECOND, '1970-01-01', decided_at) AS decidedUs
     FROM orders WHERE product_id = ?`,
    [productId],
  );
  const orders = rows.map(({ status, tookUs, decidedUs }) => ({
    succeeded: status === "SUCCESS",
    tookMs: Number(tookUs) / 1_000,
    decidedAt: Number(decidedUs) / 1_000,
  }));
  const successes = orders.filter(({ succeeded }) => succeeded);
  return {
    settled,
    succeeded: successes.length,
    failed: orders.length - successes.length,
    decisionMs: percentilesOf(successes.map(({ tookMs }) => tookMs)),
    lastDecidedAt: orders.reduce<number | undefined>(
      (last, { decidedAt }) => Math.max(last ?? 0, decidedAt),
      undefined,
    ),
  };
}

async function countSettled(database: Connection, productId: number): Promise<number> {
  const [rows] = await database.query<RowDataPacket[]>(
    "SELECT COUNT(*) AS settled FROM settlements WHERE product_id = ?",
    [productId],
  );
  return Number(rows[0]?.["settled"] ?? 0);
}
