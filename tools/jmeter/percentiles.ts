/** What is said of every distribution. */
export const QUANTILES = [0.5, 0.9, 0.99, 0.999] as const;

export type Percentiles = {
  /** By QUANTILES, in their order. */
  at: readonly number[];
  max: number;
};

/** Nearest rank: each figure is one that was measured, none is made up between two. Undefined for nothing. */
export function percentilesOf(values: Iterable<number>): Percentiles | undefined {
  const sorted = Float64Array.from(values).sort();
  const max = sorted.at(-1);
  if (max === undefined) return undefined;
  const at = QUANTILES.map((q) => sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)] ?? max);
  return { at, max };
}
