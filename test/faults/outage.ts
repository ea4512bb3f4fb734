import type { RunOptions } from "./failure.ts";
import { acceptingAgainMs, answerTimes, percentile } from "./measure.ts";
import { lasting, type World } from "./world.ts";

const BEFORE_MS = 3_000;
const AFTER_MS = 6_000;

/** When a fault began and when it was over, epoch ms. */
export interface Outage {
  readonly from: number;
  readonly to: number;
}

export interface Load {
  readonly orders: RunOptions["orders"];
  /** How long the fault will last. */
  readonly outageMs: number;
  readonly perSecondMin?: number;
  readonly persistent?: number;
}

const PER_SECOND_MIN = 60;

/** A fault in the midst of buyers who come at a constant rate, before it and after it. */
export async function underLoad(
  world: World,
  { orders, outageMs, perSecondMin = PER_SECOND_MIN, persistent = 0.2 }: Load,
  fault: () => Promise<Outage>,
): Promise<Outage> {
  const seconds = (BEFORE_MS + outageMs + AFTER_MS) / 1_000;
  const perSecond = Math.max(perSecondMin, orders / seconds);
  const buyers = await world.users(Math.ceil(perSecond * seconds));
  const shopping = world.shop.begin({ buyers, perSecond, persistent });
  try {
    await lasting(BEFORE_MS);
    const outage = await fault();
    await shopping.done;
    return outage;
  } catch (error) {
    await shopping.stop();
    throw error;
  }
}

/** The fault lasts for so long between its begin and its end. */
export async function during(ms: number, begin: () => unknown, end: () => unknown): Promise<Outage> {
  await begin();
  const from = Date.now();
  await lasting(ms);
  await end();
  return { from, to: Date.now() };
}

/** Which answers left buyers in doubt, and how many: "outcome_unknown 3"; "none". */
export function doubts({ history }: World): string {
  const codes = history.of("info").map(({ code, reset }) => (reset ? `${code} (reset)` : code));
  const each = [...new Set(codes)].map((code) => `${code} ${codes.filter((other) => other === code).length}`);
  return each.join(" + ") || "none";
}

/** What buyers were answered while Kafka took no orders, once the breaker had had time to open. */
export function refusals({ history }: World, { from, to }: Outage, limits: RefusalLimits) {
  const p99 = percentile(answerTimes(history, from, to), 0.99);
  const shut = history.calls.filter(
    ({ code, sentAt, at }) => code === "not_ready" && sentAt >= from + OPEN_AFTER_MS && at <= to,
  );
  const open = shut.map(({ sentAt, at }) => at - sentAt);
  const median = percentile(open, 0.5);
  return {
    recoveryMs: acceptingAgainMs(history, to),
    figures: {
      "503 p99 ms": p99,
      "open p50 ms": median,
      "open p99 ms": percentile(open, 0.99),
      not_ready: shut.length,
    },
    misses: [
      ...(p99 > limits.p99Ms ? [`p99 of refusals is ${p99} ms, not ${limits.p99Ms}`] : []),
      ...(open.length === 0 ? ["nobody heard not_ready: the breaker never opened"] : []),
      ...(median > limits.openMedianMs
        ? [`half of the refusals while open take longer than ${median} ms`]
        : []),
    ],
  };
}

/** By then the breaker is open. */
const OPEN_AFTER_MS = 3_000;

export interface RefusalLimits {
  readonly p99Ms: number;
  readonly openMedianMs: number;
}
