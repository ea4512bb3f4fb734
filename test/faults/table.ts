import { f02 } from "./f02-produce-unknown.ts";
import { f14 } from "./f14-redis-frozen.ts";
import { f20 } from "./f20-mysql-down.ts";
import type { Failure } from "./failure.ts";

/** Every failure there is, in the order of its number. */
export const FAILURES: readonly Failure[] = [f02, f14, f20];

/** Those that are named; "F16" names its variants F16a and F16b, too. All when none is named. */
export function chosen(names: readonly string[]): Failure[] {
  if (names.length === 0) return [...FAILURES];
  return names.flatMap((name) => {
    const wanted = name.toUpperCase();
    const found = FAILURES.filter(
      ({ id }) => id.toUpperCase().replace(/[A-Z]$/, "") === wanted || id.toUpperCase() === wanted,
    );
    if (found.length === 0)
      throw new Error(`There is no failure ${name}: ${FAILURES.map(({ id }) => id).join(" ")}`);
    return found;
  });
}
