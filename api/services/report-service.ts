import { targetOf, type AuditState } from "../../shared/domain/audit.ts";
import { DomainError } from "../../shared/domain/errors.ts";
import type { AuditTrail, Log, SettlementSnapshots } from "../../shared/domain/ports.ts";
import {
  filterOf,
  summaryPeriod,
  SUMMARY_ROWS_MAX,
  tooManyRows,
  type ControlSheet,
  type DailySummary,
  type ReportWish,
} from "../../shared/domain/report.ts";
import type { SettlementFilter } from "../../shared/domain/settlement.ts";
import type { Principal } from "../../shared/domain/user.ts";
import { exportSettlements, NotReconciled } from "./settlement-export.ts";

/** At once in one process: each keeps a connection, and the database from tidying up behind its snapshot. */
export const REPORTS_AT_ONCE_MAX = 2;
/** From the snapshot to the last byte, however slowly the client reads. */
const REPORT_TIME_MAX_MS = 900_000;
const RETRY_AFTER_S = 10;

export interface ReportServiceDependencies {
  readonly snapshots: SettlementSnapshots;
  readonly audit: Pick<AuditTrail, "record" | "list">;
  readonly log: Log;
  readonly now: () => number;
  readonly newId: () => string;
  /** IANA name. */
  readonly timeZone: string;
  /** Between the reads of an export, told how long the last one took. */
  readonly rest: (tookMs: number) => Promise<unknown>;
  readonly timeMaxMs?: number;
}

export type ReportService = ReturnType<typeof createReportService>;

/** What administrators take away: whole files with a control sheet, and summaries by the day. */
export function createReportService(dependencies: ReportServiceDependencies) {
  const { snapshots, audit, log, now, newId, timeZone, rest } = dependencies;
  const { timeMaxMs = REPORT_TIME_MAX_MS } = dependencies;
  let open = 0;
  return { exportCsv, control, daily };

  /**
   * The pieces of a file. Every export is audited, whatever becomes of it; of one that is whole the control sheet is there
   * before the last piece is followed by the end. The caller must read to the end or call `return`.
   * @throws DomainError validation_failed, not_ready: from the first piece, mostly
   */
  function exportCsv(
    admin: Principal,
    wish: ReportWish,
    gone: AbortSignal,
    traceId?: string,
  ): { exportId: string; pieces: AsyncGenerator<Buffer, void> } {
    const filter = filterOf(wish, timeZone);
    const exportId = newId();
    return { exportId, pieces: audited(admin, { exportId, filter, traceId }, gone) };
  }

  async function* audited(
    { userId: adminId }: Principal,
    {
      exportId,
      filter,
      traceId,
    }: Pick<ControlSheet, "exportId" | "filter"> & { traceId: string | undefined },
    gone: AbortSignal,
  ): AsyncGenerator<Buffer, void> {
    const note = {
      ...({ adminId, action: "settlements.export" } as const),
      ...{ target: targetOf("export", exportId), before: stateOf(filter) },
    };
    const about = { exportId, adminId, filter, traceId };
    let rows = 0;
    let state: "under_way" | "done" | "told" = "under_way";
    const release = takeSeat();
    const signal = AbortSignal.any([gone, AbortSignal.timeout(timeMaxMs)]);
    try {
      const sheet = yield* ofSnapshot(signal, {
        ...{ exportId, filter, takenAt: now(), rest },
        onRows: (done) => {
          rows = done;
        },
      });
      await audit.record({ ...note, outcome: "done", after: sheetState(sheet) });
      state = "done";
      log.info({ ...about, rows, bytes: sheet.bytes, sha256: sheet.sha256 }, "settlements exported");
    } catch (error) {
      state = "told";
      throw await failed(error);
    } finally {
      // Whoever reads no further (`return`) throws nothing.
      if (state === "under_way") await failed(undefined);
      release();
    }

    async function failed(error: unknown): Promise<unknown> {
      const reason = reasonOf(error, gone, signal);
      await audit.record({ ...note, outcome: "failed", reason, after: { rows } }).catch((err: unknown) => {
        log.warn({ ...about, err }, "an export that failed could not be audited");
      });
      const fields = { ...about, rows, reason, err: error };
      if (error instanceof NotReconciled) log.error(fields, "settlements were not exported");
      else log.warn(fields, "settlements were not exported");
      return signal.aborted ? late(error) : error;
    }
  }

  async function* ofSnapshot(
    signal: AbortSignal,
    wish: Parameters<typeof exportSettlements>[1],
  ): AsyncGenerator<Buffer, ControlSheet> {
    const snapshot = await snapshots.open(signal);
    try {
      return yield* exportSettlements(snapshot, wish);
    } finally {
      await snapshot.close();
    }
  }

  /** @throws DomainError not_found until the export has ended well */
  async function control(exportId: string): Promise<ControlSheet> {
    const { rows } = await audit.list({ target: targetOf("export", exportId) }, { limit: 1 });
    const entry = rows.find(({ outcome }) => outcome === "done");
    if (!entry) throw new DomainError("not_found", "There is no such export, or it has not ended well.");
    return { ...entry.after, exportId, filter: entry.before } as unknown as ControlSheet;
  }

  /** @throws DomainError validation_failed, not_ready */
  async function daily(wish: ReportWish, gone: AbortSignal): Promise<DailySummary> {
    const period = summaryPeriod(wish, timeZone, now());
    const release = takeSeat();
    const signal = AbortSignal.any([gone, AbortSignal.timeout(timeMaxMs)]);
    try {
      const snapshot = await snapshots.open(signal);
      try {
        const days = await snapshot.daily(period);
        if (days.length > SUMMARY_ROWS_MAX) throw tooManyRows();
        return { timeZone, from: period.filter.from, to: period.filter.to, days };
      } finally {
        await snapshot.close();
      }
    } catch (error) {
      throw signal.aborted ? late(error) : error;
    } finally {
      release();
    }
  }

  function takeSeat(): () => void {
    if (open >= REPORTS_AT_ONCE_MAX)
      throw new DomainError("not_ready", "Other reports are being made. Try again when they are over.", {
        retryAfterS: RETRY_AFTER_S,
      });
    open += 1;
    return () => {
      open -= 1;
    };
  }
}

function reasonOf(error: unknown, gone: AbortSignal, signal: AbortSignal): string {
  if (gone.aborted || error === undefined) return "the client went away";
  if (signal.aborted) return "it took too long";
  if (error instanceof NotReconciled) return error.message;
  return error instanceof DomainError ? error.code : "internal";
}

const late = (cause: unknown): DomainError =>
  new DomainError("not_ready", "The report took too long.", { retryAfterS: RETRY_AFTER_S }, { cause });

const stateOf = ({ userId, productId, from, to }: SettlementFilter): AuditState => ({
  ...(from !== undefined && { from }),
  ...(to !== undefined && { to }),
  ...(userId !== undefined && { userId }),
  ...(productId !== undefined && { productId }),
});

const sheetState = ({ exportId: _id, filter: _filter, ...sheet }: ControlSheet): AuditState => sheet;
