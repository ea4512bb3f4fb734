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
import { f17 } from "./f17-redis-full.ts";
import { f18a, f18b } from "./f18-kafka-down.ts";
import { f19 } from "./f19-kafka-frozen.ts";
import { f20 } from "./f20-mysql-down.ts";
import { f21a, f21b } from "./f21-mysql-slow.ts";
import { f22 } from "./f22-cut-at-commit.ts";
import { f23 } from "./f23-hot-row-held.ts";
import { f24a, f24b, f24c } from "./f24-disk-full.ts";
import { f25 } from "./f25-clock-skew.ts";
import { f26 } from "./f26-logged-out.ts";
import { f27a, f27b } from "./f27-backlog.ts";
import { f28 } from "./f28-rolling-restarts.ts";
import { f29 } from "./f29-uncaught.ts";
import { f30 } from "./f30-group-deleted.ts";
import { f31 } from "./f31-partitions-added.ts";
import { f32 } from "./f32-given-back-twice.ts";
import type { Failure } from "./failure.ts";

/** Every failure there is, in the order of its number. */
export const FAILURES: readonly Failure[] = [
  ...[f01, f02, f03, f04, f05, f06, f07, f08, f09, f10, f11, f12, f13, f14, f15, f16a, f16b],
  ...[f17, f18a, f18b, f19, f20, f21a, f21b, f22, f23, f24a, f24b, f24c],
  ...[f25, f26, f27a, f27b, f28, f29, f30, f31, f32],
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
