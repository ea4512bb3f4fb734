/**
 * How many random cases a property is tried with: as many as `npm test` has time for, or, with CASES_TIMES=50, so many
 * times more (`npm run test:long`).
 */
export function cases(short: number): number {
  const times = Number(process.env["CASES_TIMES"] ?? 1);
  if (!Number.isSafeInteger(times) || times < 1) throw new Error("CASES_TIMES is a whole number from 1.");
  return short * times;
}

/** Milliseconds that a test of so many cases may take: `short` in `npm test`. */
export const timeFor = (shortMs: number): number => cases(shortMs);
