import { f01 } from "./f01-api-killed.ts";
import { f02 } from "./f02-produce-unknown.ts";
import { f03 } from "./f03-produce-refused.ts";
import { f04 } from "./f04-duplicates.ts";
import { f05 } from "./f05-same-order.ts";
import { f06, f07 } from "./f06-f07-worker-killed.ts";
import { f08 } from "./f08-order-of-steps.ts";
import { f09 } from "./f09-rebalance.ts";
import { f10 } from "./f10-zombie-worker.ts";
import { f11 } from "./f11-poison.ts";
import { f12 } from "./f12-dead-letters-away.ts";
import { f13 } from "./f13-redis-down.ts";
import { f14 } from "./f14-redis-frozen.ts";
import { f15 } from "./f15-reply-lost.ts";
import { f16a, f16b } from "./f16-redis-forgets.ts";
import { f20 } from "./f20-mysql-down.ts";
import type { Failure } from "./failure.ts";

/** Every failure there is, in the order of its number. */
export const FAILURES: readonly Failure[] = [
  ...[f01, f02, f03, f04, f05, f06, f07, f08, f09, f10, f11, f12, f13, f14, f15, f16a, f16b],
  ...[f20],
];

/** Those that are named; "F16" names its variants F16a and F16b, too. All when none is named. */
export function chosen(names: readonly string[]): Failure[] {
  if (names.length === 0) return [...FAILURES];
  return names.flatMap((name) => {
    const wanted = name.toUpperCase();
    const found = FAILURES.filter(({ id }) =>
      [id, id.replace(/[a-z]$/, "")].some((known) => known.toUpperCase() === wanted),
    );
    if (found.length === 0)
      throw new Error(`There is no failure ${name}: ${FAILURES.map(({ id }) => id).join(" ")}`);
    return found;
  });
}
