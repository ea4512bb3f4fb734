import { stringify } from "csv-stringify/sync";
import type { DailyTotal } from "../../shared/domain/report.ts";
import type { Settlement } from "../../shared/domain/settlement.ts";

/**
 * RFC 4180, in UTF-8. A text that a spreadsheet would take for a formula (it begins with = + - @, a tab or a carriage return)
 * gets an apostrophe in front; numbers stay numbers.
 */
const FORM = { record_delimiter: "windows", escape_formulas: true } as const;

type Cell = string | number;
const lines = (rows: readonly (readonly Cell[])[]): string => stringify(rows as Cell[][], FORM);

export const SETTLEMENT_HEADER = lines([
  ["id", "orderId", "userId", "productId", "type", "amount", "currency", "settledAt"],
]);
const DAILY_HEADER = lines([["day", "productId", "title", "currency", "count", "amount"]]);

export const settlementLines = (settlements: readonly Settlement[]): string =>
  lines(
    settlements.map(({ id, orderId, userId, productId, type, amount, currency, settledAt }) => [
      ...[id, orderId, userId, productId, type, amount, currency],
      new Date(settledAt).toISOString(),
    ]),
  );

export const settlementCsv = (settlements: readonly Settlement[]): string =>
  SETTLEMENT_HEADER + settlementLines(settlements);

export const dailyCsv = (days: readonly DailyTotal[]): string =>
  DAILY_HEADER +
  lines(
    days.map(({ day, productId, title, currency, count, amount }) => [
      ...[day, productId, title, currency, count, amount],
    ]),
  );
