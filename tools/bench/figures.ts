import { QUANTILES, type Percentiles } from "../jmeter/percentiles.ts";

export const US_PER_MS = 1_000;

/** What one round measured, by name. A figure that could not be had is not there. */
export type Figures = Readonly<Record<string, number>>;

/** answer p50 … max, as figures: `answer_p50_ms`. */
export function percentileFigures(name: string, percentiles: Percentiles | undefined): Figures {
  if (!percentiles) return {};
  const quantiles = QUANTILES.map((q, i) => [
    `${name}_p${Number((q * 100).toFixed(1))}_ms`,
    percentiles.at[i] ?? 0,
  ]);
  return Object.fromEntries([...quantiles, [`${name}_max_ms`, percentiles.max]]) as Figures;
}

/** Each role's CPU (ms) over so many orders or requests: `cpu_api_us_per_order`. */
export function cpuFigures(
  cpuMs: Readonly<Record<string, number>>,
  unit: "order" | "request",
  count: number,
): Figures {
  const shares = Object.entries(cpuMs).map(([role, ms]) => [
    `cpu_${role}_us_per_${unit}`,
    (ms * US_PER_MS) / count,
  ]);
  return Object.fromEntries(shares) as Figures;
}

/** Largest resident memory by role, and what others took of the machine, where that is known. */
export function machineFigures(
  othersPart: number | undefined,
  rssMib: Readonly<Record<string, number>> = {},
): Figures {
  const resident = Object.entries(rssMib).map(([role, mib]) => [`rss_${role}_mib`, mib]);
  return {
    ...(Object.fromEntries(resident) as Figures),
    ...(othersPart !== undefined && { cpu_others_percent: othersPart * 100 }),
  };
}

/** The figures of several rounds, each the median of those rounds that have it. */
export function mediansOf(rounds: readonly Figures[]): Figures {
  const names = new Set(rounds.flatMap((round) => Object.keys(round)));
  return Object.fromEntries(
    [...names].map((name) => [name, median(rounds.flatMap((round) => round[name] ?? []))]),
  );
}

/** Each figure as a share of the yardstick's; left out where that is nothing. */
export function sharesOf(figures: Figures, yardstick: Figures): Figures {
  return Object.fromEntries(
    Object.entries(figures).flatMap(([name, value]) => {
      const measure = yardstick[name];
      return measure === undefined || measure === 0 ? [] : [[name, value / measure] as const];
    }),
  );
}

/** Of an even number the mean of the middle two. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)] ?? NaN;
  const lower = sorted[Math.ceil(sorted.length / 2) - 1] ?? NaN;
  return (lower + upper) / 2;
}
