import type { Pace, Plan } from "./plan.ts";

/** How many requests the plan may send. */
export function requestsAtMost({ pace, requests }: Plan): number {
  return pace.kind === "open" ? Math.min(requests.count, pace.rate * pace.seconds) : requests.count;
}

/** How many of them should have been sent so long after the start: in the closed model all, while there is time. */
export function requestsDue(pace: Pace, count: number, elapsedMs: number): number {
  if (pace.kind === "open") return Math.min(count, Math.floor((elapsedMs / 1_000) * pace.rate) + 1);
  return elapsedMs < pace.seconds * 1_000 ? count : 0;
}

/** When request i was to be sent, ms after the start. In the closed model: whenever its connection is free, hence now. */
export function intendedMs(pace: Pace, i: number, elapsedMs: number): number {
  return pace.kind === "open" ? (i / pace.rate) * 1_000 : elapsedMs;
}
