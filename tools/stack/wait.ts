import { setTimeout as delay } from "node:timers/promises";

const POLL_MS = 50;

/**
 * Asks again and again until the answer is something, and at most until the deadline; undefined then. What `ask` throws
 * means "not yet": a server that is starting refuses connections in many ways.
 */
export async function waitFor<T>(
  ask: () => Promise<T | undefined> | T | undefined,
  deadlineMs: number,
  pollMs = POLL_MS,
): Promise<T | undefined> {
  const end = performance.now() + deadlineMs;
  for (;;) {
    try {
      const answer = await ask();
      if (answer !== undefined) return answer;
    } catch {
      // Not yet.
    }
    if (performance.now() >= end) return undefined;
    await delay(pollMs);
  }
}

/** True when the work settles in time; the work itself goes on. */
export async function settlesWithin(work: Promise<unknown>, deadlineMs: number): Promise<boolean> {
  const timer = new AbortController();
  const late = delay(deadlineMs, false, { signal: timer.signal }).catch(() => false);
  const done = work.then(
    () => true,
    () => true,
  );
  const inTime = await Promise.race([done, late]);
  timer.abort();
  return inTime;
}
