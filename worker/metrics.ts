import { Counter, Gauge, Histogram, type Registry } from "prom-client";
import { FAIL_REASONS } from "../shared/domain/order.ts";
import { BATCH_SIZE_BUCKETS, LATENCY_BUCKETS_S } from "../shared/metrics.ts";
import type { BatchReport } from "./handlers/order-placed.ts";

export interface WorkerMetrics {
  batch(report: BatchReport): void;
  swept(orders: number): void;
  /** What was done about counters that did not say what the database says. */
  counters(event: (typeof COUNTER_EVENTS)[number]): void;
}

const COUNTER_EVENTS = ["rolled_back", "loaded", "shut", "given_back", "end_moved", "ended"] as const;

export interface WorkerReadings {
  lag(): Promise<bigint>;
  oldestUndecidedAgeS(): number;
  deadLetters(): Promise<number>;
  oldestDeadLetterAt(): Promise<number | null>;
  /** Units left by product, of the sales that are looked after; a product without counters is missing. */
  unitsLeft(): Promise<ReadonlyMap<number, number>>;
}

/** What the worker tells Prometheus. Readings that fail keep their last value; /readyz says what is away. */
export function createWorkerMetrics(registry: Registry, readings: WorkerReadings): WorkerMetrics {
  const registers = [registry];
  const size = new Histogram({
    name: "flashpay_worker_batch_orders",
    help: "Messages decided in one transaction.",
    buckets: BATCH_SIZE_BUCKETS,
    registers,
  });
  const seconds = new Histogram({
    name: "flashpay_worker_batch_seconds",
    help: "Time from reading a batch to its housekeeping.",
    buckets: LATENCY_BUCKETS_S,
    registers,
  });
  const decided = new Counter({
    name: "flashpay_worker_decisions_total",
    help: "Messages by decision; duplicates are copies that changed nothing.",
    labelNames: ["outcome", "reason"],
    registers,
  });
  const parked = new Counter({
    name: "flashpay_worker_parked_total",
    help: "Messages copied to the dead letters.",
    registers,
  });
  const swept = new Counter({
    name: "flashpay_worker_swept_total",
    help: "Orders handed over again by the sweeper.",
    registers,
  });
  const counters = new Counter({
    name: "flashpay_counters_repaired_total",
    help: "Redis' counters of a product: rolled_back, shut, loaded, given_back, end_moved, ended (reservations of decided orders).",
    labelNames: ["event"],
    registers,
  });
  const decisionAge = new Histogram({
    name: "flashpay_order_decision_seconds",
    help: "From acceptance (Redis' clock) to the end of the deciding batch (worker's clock).",
    buckets: LATENCY_BUCKETS_S,
    registers,
  });
  gauge("flashpay_worker_lag_orders", "Messages of the topic that are not decided.", async () =>
    Number(await readings.lag()),
  );
  gauge(
    "flashpay_worker_oldest_undecided_seconds",
    "Age of the oldest message at hand; 0 when there is none.",
    () => Promise.resolve(readings.oldestUndecidedAgeS()),
  );
  gauge("flashpay_dead_letters", "Dead letters that nobody has handled.", readings.deadLetters);
  gauge(
    "flashpay_dead_letter_oldest_seconds",
    "Age of the oldest dead letter that nobody has handled; 0 when there is none.",
    async () => {
      const parkedAt = await readings.oldestDeadLetterAt();
      return parkedAt === null ? 0 : Math.max(0, Date.now() - parkedAt) / 1_000;
    },
  );
  const left = new Gauge({
    name: "flashpay_product_left_units",
    help: "Units left by Redis' counters, by product; none for a product whose counters are missing.",
    labelNames: ["product"],
    registers,
    collect: () =>
      reading(async () => {
        const units = await readings.unitsLeft();
        left.reset();
        for (const [product, count] of units) left.set({ product }, count);
      }),
  });
  // A series that begins with its first event hides that event from increase() and rate().
  for (const reason of FAIL_REASONS) decided.inc({ outcome: "FAILED", reason }, 0);
  for (const event of COUNTER_EVENTS) counters.inc({ event }, 0);

  return {
    batch(report) {
      size.observe(report.size);
      seconds.observe(report.ms / 1_000);
      parked.inc(report.parked);
      const now = Date.now();
      const successes = report.decisions.filter(({ outcome }) => outcome === "SUCCESS");
      for (const { order } of successes) decisionAge.observe(Math.max(0, now - order.acceptedAt) / 1_000);
      // Most are alike: once for all of them, not once each.
      if (successes.length > 0) decided.inc({ outcome: "SUCCESS", reason: "" }, successes.length);
      for (const decision of report.decisions) {
        if (decision.outcome === "SUCCESS") continue;
        const reason = decision.outcome === "FAILED" ? decision.reason : "";
        decided.inc({ outcome: decision.outcome, reason });
      }
    },
    swept: (orders) => {
      swept.inc(orders);
    },
    counters: (event) => {
      counters.inc({ event });
    },
  };

  function gauge(name: string, help: string, read: () => Promise<number>): void {
    const metric: Gauge = new Gauge({
      name,
      help,
      registers,
      collect: () =>
        reading(async () => {
          metric.set(await read());
        }),
    });
  }

  async function reading(read: () => Promise<void>): Promise<void> {
    try {
      await read();
    } catch {
      // Away: the last reading stands.
    }
  }
}
