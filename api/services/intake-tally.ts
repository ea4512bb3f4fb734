import { isRefusal } from "../../shared/domain/errors.ts";
import { LATENCY_STEPS, latencyStepOf } from "../../shared/domain/latency.ts";
import type { AnsweredOrders, IntakeCounts, Log } from "../../shared/domain/ports.ts";
import type { IntakeOutcome } from "./order-service.ts";

const TELL_EVERY_MS = 500;

export interface IntakeTallyDependencies {
  readonly counts: Pick<IntakeCounts, "add">;
  readonly log: Log;
}

export type IntakeTally = ReturnType<typeof createIntakeTally>;

/** Counts in memory what this process answers to orders, and adds it to what all processes answered, twice a second. */
export function createIntakeTally({ counts, log }: IntakeTallyDependencies) {
  let sales = new Map<number, AnsweredOrders>();
  let latencies = noLatencies();
  let timer: NodeJS.Timeout | undefined;
  let telling: Promise<void> = Promise.resolve();
  return { observe, tell, start, stop };

  /** @param productId of a product that exists, when the outcome is an acceptance or a refusal */
  function observe(outcome: IntakeOutcome, seconds: number, productId: number): void {
    const accepted = outcome === "accepted";
    if (!accepted && !isRefusal(outcome)) return;
    const before = sales.get(productId) ?? { accepted: 0, refused: 0 };
    sales.set(productId, {
      accepted: before.accepted + (accepted ? 1 : 0),
      refused: before.refused + (accepted ? 0 : 1),
    });
    const step = latencyStepOf(seconds * 1_000);
    latencies[step] = (latencies[step] ?? 0) + 1;
  }

  async function tell(): Promise<void> {
    if (sales.size === 0) return;
    const part = { sales, latencies };
    sales = new Map();
    latencies = noLatencies();
    try {
      await counts.add(part);
    } catch (error) {
      // For the eye only: nobody misses half a second of it while Redis is away.
      log.debug({ err: error }, "answers not added up");
    }
  }

  function start(): void {
    timer = setInterval(() => {
      telling = tell();
    }, TELL_EVERY_MS);
  }

  async function stop(): Promise<void> {
    clearInterval(timer);
    await telling;
    await tell();
  }
}

const noLatencies = (): number[] => Array.from({ length: LATENCY_STEPS }, () => 0);
