/** Durations counted in steps, so that counts of many processes can be added up and percentiles read from the sum. */

const FIRST_MS = 0.5;
/** Each step is so much longer than the one before: a percentile is exact to a tenth. */
const GROWTH = 1.2;
/** The last step, from 50 s on, has no end. */
export const LATENCY_STEPS = 65;

const upperMs = (step: number): number => FIRST_MS * GROWTH ** step;

/** The step that `ms` falls into, from 0 to LATENCY_STEPS − 1. */
export function latencyStepOf(ms: number): number {
  if (ms <= FIRST_MS) return 0;
  return Math.min(LATENCY_STEPS - 1, Math.ceil(Math.log(ms / FIRST_MS) / Math.log(GROWTH) - 1e-9));
}

/** The duration that `part` of all counted ones did not exceed, ms; null when there are none. */
export function percentileMs(counts: readonly number[], part: number): number | null {
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total === 0) return null;
  let seen = 0;
  for (const [step, count] of counts.entries()) {
    seen += count;
    if (seen >= total * part) return upperMs(step);
  }
  return upperMs(counts.length - 1);
}
