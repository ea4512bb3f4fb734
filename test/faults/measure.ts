import type { Call, History } from "../support/history.ts";
import type { DecidedRow } from "./judge.ts";

const WINDOW_MS = 1_000;
/** The part of a second's calls that must be answered as on a good day. */
const NORMAL = 0.9;

/**
 * From `since` (epoch ms) to the first accepted order after which a second of calls went as on a good day. Undefined: never,
 * or nobody asked.
 */
export function acceptingAgainMs({ calls }: History, since: number): number | undefined {
  const later = calls.filter(({ at }) => at >= since).sort((a, b) => a.at - b.at);
  for (const [i, { kind, at }] of later.entries()) {
    if (kind !== "ok") continue;
    const window = later.slice(i).filter((call) => call.at < at + WINDOW_MS);
    if (window.filter(wentWell).length >= NORMAL * window.length) return at - since;
  }
  return undefined;
}

const GOOD = new Set(["accepted", "sold_out", "limit_exceeded", "order_in_progress"]);
const wentWell = ({ code }: Call): boolean => GOOD.has(code);

/** How long buyers waited for an answer that was no 202, ms, of calls between two instants. */
export function answerTimes({ calls }: History, from: number, to: number): number[] {
  return calls
    .filter(({ sentAt, at, kind }) => kind !== "ok" && sentAt >= from && at <= to)
    .map(({ sentAt, at }) => at - sentAt);
}

/** From `since` to the first decision after it. */
export function decidingAgainMs(rows: readonly DecidedRow[], since: number): number | undefined {
  const first = Math.min(...rows.map(({ decided_at }) => decided_at.getTime()).filter((at) => at >= since));
  return Number.isFinite(first) ? first - since : undefined;
}

/** The longest time from one decision to the next while an accepted order was waiting. */
export function longestStandstillMs(rows: readonly DecidedRow[]): number {
  const sorted = [...rows].sort((a, b) => a.decided_at.getTime() - b.decided_at.getTime());
  let longest = 0;
  let previous = -Infinity;
  for (const { accepted_at, decided_at } of sorted) {
    const waitingSince = Math.max(previous, accepted_at.getTime());
    longest = Math.max(longest, decided_at.getTime() - waitingSince);
    previous = decided_at.getTime();
  }
  return longest;
}

/** The value below which the given part of the values lies; 0 of none. */
export function percentile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? 0;
}
