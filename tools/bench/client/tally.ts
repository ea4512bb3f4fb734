import { percentilesOf } from "../../jmeter/percentiles.ts";
import type { Progress, Tally } from "./plan.ts";

export const LOST = "lost";

/** Counts what was sent and what was heard; every answer's time is kept, so that the percentiles are exact. */
export function createTally(requestsAtMost: number) {
  const times = new Float64Array(requestsAtMost);
  const outcomes = new Map<string, number>();
  let offered = 0;
  let answered = 0;
  let lost = 0;
  let lateMsMax = 0;
  return {
    sent(lateMs: number): void {
      offered += 1;
      if (lateMs > lateMsMax) lateMsMax = lateMs;
    },
    heard(outcome: string, ms: number): void {
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
      if (outcome === LOST) {
        lost += 1;
        return;
      }
      times[answered] = ms;
      answered += 1;
    },
    offered: () => offered,
    underWay: () => offered - answered - lost,
    progress,
    total: (firstAt: number, lastAt: number): Tally => ({
      ...progress(),
      outcomes: Object.fromEntries(outcomes),
      answerMs: percentilesOf(times.subarray(0, answered)),
      ...{ firstAt, lastAt, lateMsMax },
    }),
  };

  function progress(): Progress {
    return { offered, answered, accepted: outcomes.get("202") ?? 0 };
  }
}
