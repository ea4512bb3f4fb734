import type { Problem } from "../lib/api.ts";
import { follow } from "../lib/events.ts";

/** Seconds that a chart shows. */
const KEPT_MAX = 120;
/** A snapshot comes each second; one that waits for slow servers takes two more. */
const SILENCE_MAX_MS = 5_000;

export interface Rates {
  readonly accepted: number;
  readonly refused: number;
  readonly settled: number;
}
export interface LiveSale extends Rates {
  readonly id: number;
  readonly title: string;
  readonly price: number;
  readonly currency: string;
  readonly stock: number;
  readonly stockLeft: number;
  readonly sold: number;
  readonly startTime: string;
  readonly endTime: string;
  readonly perUserLimit: number;
  readonly state: "scheduled" | "open" | "sold_out" | "closed";
  readonly loaded: boolean;
  readonly undecided: number | null;
  readonly perSecond: Rates | null;
}
export interface Snapshot {
  readonly at: string;
  readonly sales: readonly LiveSale[];
  readonly lag: number | null;
  readonly oldestMs: number | null;
  readonly deadLetters: number | null;
  readonly answers: { readonly p50Ms: number | null; readonly p99Ms: number | null };
}

/** Seconds and, for each of them, orders per second: as uPlot takes them. */
export type Series = [at: number[], accepted: number[], settled: number[], refused: number[]];

export type Live = ReturnType<typeof watchLive>;

/** What the stream says, kept for as long as charts look back; views come and go. */
export function watchLive(refused: (problem: Problem) => void) {
  const ending = new AbortController();
  const series = new Map<number, Series>();
  const watchers = new Set<(snapshot: Snapshot) => void>();
  const stateWatchers = new Set<(live: boolean) => void>();
  let latest: Snapshot | undefined;
  const state = (live: boolean) => {
    for (const watcher of stateWatchers) watcher(live);
  };
  const stream = { path: "/api/admin/live", silenceMaxMs: SILENCE_MAX_MS };
  void follow<Snapshot>({ ...stream, event: take, state, refused }, ending.signal);
  return {
    seriesOf: (saleId: number): Series => series.get(saleId) ?? [[], [], [], []],
    end: () => {
      ending.abort();
    },
    onState: (watcher: (live: boolean) => void) => stateWatchers.add(watcher),
    /** Shows what is known at once, and each snapshot; the function that comes back ends it. */
    show(watcher: (snapshot: Snapshot) => void): () => void {
      watchers.add(watcher);
      if (latest) watcher(latest);
      return () => watchers.delete(watcher);
    },
  };

  function take(snapshot: Snapshot): void {
    latest = snapshot;
    const at = Date.parse(snapshot.at) / 1_000;
    for (const { id, perSecond } of snapshot.sales) {
      if (!perSecond) continue;
      const kept: Series = series.get(id) ?? [[], [], [], []];
      const row = [at, perSecond.accepted, perSecond.settled, perSecond.refused];
      series.set(id, kept.map((values, i) => [...values, row[i] ?? 0].slice(-KEPT_MAX)) as Series);
    }
    for (const watcher of watchers) watcher(snapshot);
  }
}
