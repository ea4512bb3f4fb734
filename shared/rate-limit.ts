import type { Log, RateLimit, TakenUnit } from "./domain/ports.ts";

/** How long a process keeps to itself what it counted. */
const SETTLE_AFTER_MS = 100;
/** Below this part of the limit a process tells nobody: one order of each of many buyers costs no command. */
const UNTOLD_PART = 1 / 10;
/** What processes together took too much is owed; nobody waits longer for it. */
const OWED_MAX_MS = 10_000;

export interface SharedCount {
  /**
   * Adds to what all processes counted under the key in the window at hand.
   * @returns the sum, and when the window ends
   */
  (key: string, units: number): Promise<{ readonly total: number; readonly endsInMs: number }>;
}

export interface RateLimitOptions {
  /** Units in a window, over all processes. */
  readonly points: number;
  readonly windowMs: number;
  readonly share: SharedCount;
  readonly log: Log;
  /** ms, never going back. */
  readonly elapsed?: () => number;
}

interface Count {
  /** Of all processes in this window, as last heard; what is being told included. */
  shared: number;
  /** Taken here, and not told. */
  untold: number;
  /** Nothing is taken before: window and debt are over. */
  endsAt: number;
  owes: boolean;
  telling: boolean;
}

/**
 * Counts in memory, at once, and compares notes with the other processes in the background, so that a request costs no
 * round trip. Within SETTLE_AFTER_MS processes may together take more than `points`; what is too much is owed: the key
 * is refused for so much longer that the rate holds on average.
 */
export function createRateLimit(options: RateLimitOptions): RateLimit {
  const { points, windowMs, share, log, elapsed = () => performance.now() } = options;
  const counts = new Map<string, Count>();
  const toTell = new Map<string, Count>();
  let timer: NodeJS.Timeout | undefined;
  let sweepAt = 0;

  return { points, windowMs, take };

  function take(key: string): TakenUnit {
    const now = elapsed();
    const count = countOf(key, now);
    const taken = count.shared + count.untold;
    const endsInMs = count.endsAt - now;
    if (count.owes || taken >= points) {
      // What the others took may have grown: it is owed by all.
      tellSoon(key, count);
      return { outcome: "refused", left: 0, endsInMs };
    }
    count.untold += 1;
    if (count.shared > 0 || count.untold > points * UNTOLD_PART) tellSoon(key, count);
    return { outcome: "taken", left: points - taken - 1, endsInMs };
  }

  function countOf(key: string, now: number): Count {
    if (now >= sweepAt) sweep(now);
    const known = counts.get(key);
    if (known && now < known.endsAt) return known;
    const fresh = { shared: 0, untold: 0, endsAt: now + windowMs, owes: false, telling: false };
    counts.set(key, fresh);
    return fresh;
  }

  /** Bounds the memory by what one window sees. */
  function sweep(now: number): void {
    sweepAt = now + windowMs;
    for (const [key, { endsAt }] of counts) if (now >= endsAt) counts.delete(key);
  }

  function tellSoon(key: string, count: Count): void {
    if (count.telling) return;
    toTell.set(key, count);
    timer ??= setTimeout(tellAll, SETTLE_AFTER_MS).unref();
  }

  /** All in one turn of the event loop, hence in one pipeline. */
  function tellAll(): void {
    timer = undefined;
    const now = elapsed();
    // What belongs to a window that is over would be counted in the next one.
    for (const [key, count] of toTell) if (now < count.endsAt) void tell(key, count);
    toTell.clear();
  }

  async function tell(key: string, count: Count): Promise<void> {
    const units = count.untold;
    count.shared += units;
    count.untold = 0;
    count.telling = true;
    try {
      const { total, endsInMs } = await share(key, units);
      count.shared = total;
      const owedMs = Math.min((Math.max(0, total - points) / points) * windowMs, OWED_MAX_MS);
      const endsAt = elapsed() + endsInMs + owedMs;
      // A debt outlives the window that it was made in.
      count.endsAt = count.owes ? Math.max(count.endsAt, endsAt) : endsAt;
      count.owes ||= owedMs > 0;
    } catch (error) {
      // This process goes by what it counted itself.
      log.debug({ err: error }, "a rate limit was not shared");
    } finally {
      count.telling = false;
    }
  }
}
