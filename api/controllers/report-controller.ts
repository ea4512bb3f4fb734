import { pipeline } from "node:stream/promises";
import type { Request, Response } from "express";
import { principalOf, traceIdOf } from "../request-context.ts";
import type { ReportService } from "../services/report-service.ts";
import { dailyCsv } from "../services/settlement-csv.ts";
import { headCsv, wantsCsv } from "./csv.ts";
import { parse } from "./parse.ts";
import { controlSheetBody, dailySummaryBody, success } from "./present.ts";
import { dailyQuery, exportPath, exportQuery } from "./report-schemas.ts";
import { noQuery } from "./schemas.ts";

export type ReportController = ReturnType<typeof createReportController>;

export function createReportController(reports: ReportService) {
  return { exportCsv, control, daily };

  async function exportCsv(req: Request, res: Response): Promise<void> {
    const { format: _csv, ...wish } = parse(exportQuery, req.query, "query");
    const gone = goneWith(res);
    const { exportId, pieces } = reports.exportCsv(principalOf(req), wish, gone, traceIdOf(req));
    if (req.method === "HEAD") {
      headCsv(res, "settlements.csv");
      res.end();
      return;
    }
    try {
      // Until the first piece is there an answer can still be a refusal.
      const first = await pieces.next();
      headCsv(res, `settlements-${exportId}.csv`);
      res.setHeader(
        "Link",
        `</api/settlements/exports/${exportId}>; rel="describedby"; type="application/json"`,
      );
      if (!first.done) res.write(first.value);
      await pipeline(pieces, res);
    } catch (error) {
      if (!res.headersSent && !gone.aborted) throw error;
      // The service has told of it. A connection that breaks before the end is how a client knows.
      res.destroy();
    } finally {
      await pieces.return();
    }
  }

  async function control(req: Request, res: Response): Promise<void> {
    const { id } = parse(exportPath, req.params, "path");
    parse(noQuery, req.query, "query");
    res.json(success(controlSheetBody(await reports.control(id))));
  }

  async function daily(req: Request, res: Response): Promise<void> {
    const { format, ...wish } = parse(dailyQuery, req.query, "query");
    const gone = goneWith(res);
    const csv = wantsCsv(req, format);
    const summary = await reports.daily(wish, gone).catch((error: unknown) => {
      if (!gone.aborted) throw error;
    });
    if (!summary) return;
    if (!csv) {
      res.vary("Accept").json(success(dailySummaryBody(summary)));
      return;
    }
    headCsv(res, "daily.csv");
    res.send(dailyCsv(summary.days));
  }
}

/** Aborted when nobody reads the answer any more. */
function goneWith(res: Response): AbortSignal {
  const gone = new AbortController();
  res.once("close", () => {
    if (!res.writableFinished) gone.abort();
  });
  return gone.signal;
}
