/** Resident bytes of a program, a sample after each batch of the work. */
export type Samples = readonly number[];

/** Fewer say nothing of a slope. */
const SAMPLES_MIN = 12;

/**
 * What a program has come to keep over the last half of the work, by the line that fits its samples best: a heap that
 * finds its size grows early, one that leaks goes on growing. Undefined with too few samples.
 */
export function growthOfLastHalf(samples: Samples): number | undefined {
  if (samples.length < SAMPLES_MIN) return undefined;
  const last = samples.slice(Math.floor(samples.length / 2));
  const middle = (last.length - 1) / 2;
  const mean = last.reduce((sum, bytes) => sum + bytes, 0) / last.length;
  let above = 0;
  let below = 0;
  for (const [n, bytes] of last.entries()) {
    above += (n - middle) * (bytes - mean);
    below += (n - middle) ** 2;
  }
  return (above / below) * (last.length - 1);
}
