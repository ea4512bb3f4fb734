import { createHash } from "node:crypto";
import type { SettlementSnapshot } from "../../shared/domain/ports.ts";
import {
  countOf,
  createTally,
  sameExtent,
  sameTotals,
  type ControlSheet,
  type Extent,
} from "../../shared/domain/report.ts";
import type { SettlementFilter } from "../../shared/domain/settlement.ts";
import { SETTLEMENT_HEADER, settlementLines } from "./settlement-csv.ts";

/** The file would not hold what the database says there is: it must not be taken for whole. */
export class NotReconciled extends Error {
  override readonly name = "NotReconciled";
}

export interface ExportWish {
  readonly exportId: string;
  readonly takenAt: number;
  readonly filter: SettlementFilter;
  /** Before the first row, and after every read. */
  readonly onRows?: (done: number, total: number) => void;
  /** Between reads, told how long the last one took: whoever shares the event loop and the database gets his turn. */
  readonly rest?: (tookMs: number) => Promise<unknown>;
}

/**
 * A CSV file of a snapshot, piece by piece, of which no more than one is in memory; what it returns at the end is its control
 * sheet. The rows are added up as they are written and held against what the database adds up, in the same snapshot.
 * @throws NotReconciled when the two differ, or the running totals do
 */
export async function* exportSettlements(
  snapshot: SettlementSnapshot,
  { exportId, takenAt, filter, onRows, rest }: ExportWish,
): AsyncGenerator<Buffer, ControlSheet> {
  const extent = await snapshot.extent(filter);
  await againstRunningTotals(snapshot, filter, extent);
  const total = countOf(extent);
  onRows?.(0, total);
  const tally = createTally();
  const hash = createHash("sha256");
  let bytes = 0;
  let count = 0;
  const written = (text: string): Buffer => {
    const piece = Buffer.from(text);
    hash.update(piece);
    bytes += piece.length;
    return piece;
  };
  yield written(SETTLEMENT_HEADER);
  let since = performance.now();
  for await (const rows of snapshot.rows(filter, extent)) {
    for (const row of rows) tally.add(row);
    const piece = written(settlementLines(rows));
    const tookMs = performance.now() - since;
    yield piece;
    count += rows.length;
    onRows?.(count, total);
    await rest?.(tookMs);
    since = performance.now();
  }
  if (!sameExtent(tally.extent(), extent))
    throw new NotReconciled("The rows read are not those that the database adds up.");
  return { exportId, takenAt, filter, count, ...extent, bytes, sha256: hash.digest("hex") };
}

async function againstRunningTotals(
  snapshot: SettlementSnapshot,
  filter: SettlementFilter,
  { totals }: Extent,
): Promise<void> {
  const running = await snapshot.runningTotals(filter);
  if (running !== null && !sameTotals(running, totals))
    throw new NotReconciled("The running totals are not the sums of the settlements: run npm run verify.");
}
