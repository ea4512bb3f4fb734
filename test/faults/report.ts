import type { Counts } from "./judge.ts";
import type { Outcome } from "./runner.ts";

const COLUMNS: readonly { readonly name: keyof Counts; readonly width: number }[] = [
  { name: "orders", width: 7 },
  { name: "accepted", width: 8 },
  { name: "unknown", width: 7 },
  { name: "settled", width: 7 },
  { name: "lost", width: 5 },
  { name: "doubled", width: 7 },
  { name: "oversold", width: 8 },
  { name: "leaked", width: 6 },
  { name: "wrong", width: 5 },
  { name: "failed", width: 6 },
];
const TITLE_WIDTH = 40;
const TIME_WIDTH = 9;
/** Seeing nothing in n tries means, with 95 % confidence, a rate below 3/n. */
const RULE_OF = 3;

export function header(): string {
  const counts = COLUMNS.map(({ name, width }) => name.padStart(width)).join(" ");
  return `${"F".padEnd(5)}${"failure".padEnd(TITLE_WIDTH)} ${counts} ${"recovery".padStart(TIME_WIDTH)} ${"allowed".padStart(TIME_WIDTH)}`;
}

export function line(outcome: Outcome): string {
  const { id, title, counts, recoveryMs, objective, misses, figures, skipped } = outcome;
  if (skipped !== undefined) return `${id.padEnd(5)}${title.padEnd(TITLE_WIDTH)} SKIP ${skipped}`;
  const numbers = COLUMNS.map(({ name, width }) => String(counts[name]).padStart(width)).join(" ");
  const time = (ms: number | undefined): string =>
    (ms === undefined || !Number.isFinite(ms) ? "-" : `${(ms / 1_000).toFixed(1)} s`).padStart(TIME_WIDTH);
  const more = Object.entries(figures).map(([name, value]) => `${name} ${value}`);
  return [
    `${id.padEnd(5)}${title.slice(0, TITLE_WIDTH).padEnd(TITLE_WIDTH)} ${numbers}`,
    `${time(recoveryMs)} ${time(objective?.ms)} ${misses.length === 0 ? "PASS" : "MISS"}`,
    ...(more.length > 0 ? [` ${more.join(", ")}`] : []),
    ...misses.map((miss) => `\n       ${miss}`),
  ].join(" ");
}

export function totals(outcomes: readonly Outcome[]): string {
  const orders = outcomes.reduce((sum, { counts }) => sum + counts.orders, 0);
  const skipped = outcomes.filter((outcome) => outcome.skipped !== undefined).map(({ id }) => id);
  const missed = [...new Set(outcomes.filter(({ misses }) => misses.length > 0).map(({ id }) => id))];
  const bound = orders === 0 ? "nothing" : (RULE_OF / orders).toExponential(1);
  return [
    `${outcomes.length} runs, ${orders} orders under fault.`,
    missed.length === 0
      ? `None lost, doubled, oversold, leaked or wrong: with 95 % confidence fewer than ${bound} of all orders are.`
      : `Missed: ${missed.join(" ")}.`,
    ...(skipped.length > 0 ? [`Skipped: ${[...new Set(skipped)].join(" ")}.`] : []),
  ].join(" ");
}
