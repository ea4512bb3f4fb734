import { DomainError } from "./errors.ts";
import type { SettlementFilter, Total } from "./settlement.ts";
import { dayAfter, dayOf, startOfDay, type Day } from "./time-zone.ts";

/** Days of one summary, at most. */
export const SUMMARY_DAYS_MAX = 366;
/** Days of one that names none. */
const SUMMARY_DAYS_DEFAULT = 31;
/** Rows of one summary, at most. */
export const SUMMARY_ROWS_MAX = 10_000;

/** An instant (epoch ms), or a day, which stands for its first instant in the reports' time zone. */
export type Moment = number | Day;

/** What a report is asked for; `from` inclusive, `to` exclusive. */
export interface ReportWish {
  readonly from?: Moment;
  readonly to?: Moment;
  readonly userId?: number;
  readonly productId?: number;
}

/** @throws DomainError validation_failed when nothing can lie between `from` and `to` */
export function filterOf({ from, to, ...scope }: ReportWish, timeZone: string): SettlementFilter {
  const start = instantOf(from, timeZone);
  const end = instantOf(to, timeZone);
  if (start !== undefined && end !== undefined && start >= end) throw refused("/to", "must be after from");
  return { ...scope, ...(start !== undefined && { from: start }), ...(end !== undefined && { to: end }) };
}

function instantOf(moment: Moment | undefined, timeZone: string): number | undefined {
  return typeof moment === "string" ? startOfDay(moment, timeZone) : moment;
}

/** What lies in a snapshot under a filter, as the database adds it up. */
export interface Extent {
  readonly firstId: number | null;
  readonly lastId: number | null;
  readonly totals: readonly Total[];
}

/** Goes with an exported file: what must be found in it, and how to tell that it is the same file. */
export interface ControlSheet extends Extent {
  readonly exportId: string;
  /** Of the snapshot, epoch ms. */
  readonly takenAt: number;
  readonly filter: SettlementFilter;
  readonly count: number;
  readonly bytes: number;
  /** Of the whole file, hexadecimal. */
  readonly sha256: string;
}

/** Adds up what is written, row by row, beside what the database says. */
export function createTally() {
  const totals = new Map<string, { currency: string; count: number; amount: number }>();
  let firstId: number | null = null;
  let lastId: number | null = null;
  return {
    add({ id, currency, amount }: { id: number; currency: string; amount: number }): void {
      firstId ??= id;
      lastId = id;
      const total = totals.get(currency);
      if (total) {
        total.count += 1;
        total.amount += amount;
      } else totals.set(currency, { currency, count: 1, amount });
    },
    extent: (): Extent => ({ firstId, lastId, totals: sorted([...totals.values()]) }),
  };
}

/** Totals of more than 2⁵³ cannot be told from their neighbours: they equal nothing. */
export const sameTotals = (a: readonly Total[], b: readonly Total[]): boolean =>
  [...a, ...b].every(({ amount }) => Number.isSafeInteger(amount)) && textOf(a) === textOf(b);

export const sameExtent = (a: Extent, b: Extent): boolean =>
  a.firstId === b.firstId && a.lastId === b.lastId && sameTotals(a.totals, b.totals);

const sorted = (totals: readonly Total[]): Total[] =>
  totals.toSorted((a, b) => (a.currency < b.currency ? -1 : 1));
const textOf = (totals: readonly Total[]): string =>
  sorted(totals)
    .map(({ currency, count, amount }) => `${currency} ${count} ${amount}`)
    .join();

export const countOf = ({ totals }: Pick<Extent, "totals">): number =>
  totals.reduce((sum, { count }) => sum + count, 0);

/** One product's settlements of one day in one currency. */
export interface DailyTotal extends Total {
  readonly day: Day;
  readonly productId: number;
  readonly title: string;
}

export interface DailySummary {
  readonly timeZone: string;
  readonly from: number;
  readonly to: number;
  readonly days: readonly DailyTotal[];
}

/** A day of the summary, and its first instant that counts: a period need not begin at midnight. */
export interface DayStart {
  readonly day: Day;
  readonly from: number;
}

export interface SummaryPeriod {
  readonly filter: SettlementFilter & { readonly from: number; readonly to: number };
  readonly starts: readonly [DayStart, ...DayStart[]];
}

/** Without `to`, up to the end of today; without `from`, so many days before. @throws DomainError validation_failed */
export function summaryPeriod(wish: ReportWish, timeZone: string, now: number): SummaryPeriod {
  const to = wish.to ?? dayAfter(dayOf(now, timeZone), 1);
  const end = instantOf(to, timeZone) ?? now;
  const lastDay = dayOf(end - 1, timeZone);
  const from = wish.from ?? dayAfter(lastDay, 1 - SUMMARY_DAYS_DEFAULT);
  const start = instantOf(from, timeZone) ?? end;
  const filter = { ...filterOf({ ...wish, from: start, to: end }, timeZone), from: start, to: end };
  const starts: [DayStart, ...DayStart[]] = [{ day: dayOf(start, timeZone), from: start }];
  for (let day = dayAfter(starts[0].day, 1); day <= lastDay; day = dayAfter(day, 1)) {
    if (starts.length === SUMMARY_DAYS_MAX)
      throw refused("/from", `must be at most ${SUMMARY_DAYS_MAX} days before to`);
    starts.push({ day, from: startOfDay(day, timeZone) });
  }
  return { filter, starts };
}

export const tooManyRows = (): DomainError =>
  refused("/from", `there are more than ${SUMMARY_ROWS_MAX} rows: ask for fewer days, or for one product`);

function refused(field: string, detail: string): DomainError {
  return new DomainError("validation_failed", "The request does not have the form this route expects.", {
    errors: [{ pointer: `#/query${field}`, detail }],
  });
}
