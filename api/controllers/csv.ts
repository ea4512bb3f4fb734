import type { Request, Response } from "express";

/** `?format=` decides; without it the header does. */
export function wantsCsv(req: Request, format: "json" | "csv" | undefined): boolean {
  return format === undefined ? req.accepts(["json", "text/csv"]) === "text/csv" : format === "csv";
}

/** The head of an answer that a browser saves as a file. */
export function headCsv(res: Response, fileName: string): void {
  res.status(200);
  res.setHeader("Content-Type", "text/csv; charset=utf-8; header=present");
  res.setHeader("Content-Disposition", `attachment; filename="${fileName}"`);
  res.setHeader("Cache-Control", "no-store");
  res.vary("Accept");
}
