import { Counter, Histogram, type Registry } from "prom-client";
import type { IntakeOutcome } from "./services/order-service.ts";
import { BATCH_SIZE_BUCKETS, LATENCY_BUCKETS_S } from "../shared/metrics.ts";

export interface ApiMetrics {
  intake(outcome: IntakeOutcome, seconds: number): void;
  produced(batch: { size: number; ms: number; ok: boolean }): void;
  /** A request was refused for its number. */
  limited(limit: string): void;
  /** A request was refused because the event loop was late. */
  shed(load: string): void;
  /** What the gate before the counters saw. */
  counters(event: "rolled_back"): void;
}

const ALARMING: readonly IntakeOutcome[] = ["not_ready", "outcome_unknown", "internal"];

/** What the API tells Prometheus beside the runtime's own metrics. */
export function createApiMetrics(registry: Registry): ApiMetrics {
  const registers = [registry];
  const intake = new Counter({
    name: "flashpay_orders_total",
    help: "Orders answered, by outcome.",
    labelNames: ["outcome"],
    registers,
  });
  const intakeSeconds = new Histogram({
    name: "flashpay_order_answer_seconds",
    help: "From the parsed request to the answer of an order, by outcome.",
    labelNames: ["outcome"],
    buckets: LATENCY_BUCKETS_S,
    registers,
  });
  const batchOrders = new Histogram({
    name: "flashpay_produce_batch_orders",
    help: "Orders in one produce request.",
    buckets: BATCH_SIZE_BUCKETS,
    registers,
  });
  const batchSeconds = new Histogram({
    name: "flashpay_produce_seconds",
    help: "Time until a produce request was acknowledged or given up.",
    labelNames: ["result"],
    buckets: LATENCY_BUCKETS_S,
    registers,
  });
  const counters = new Counter({
    name: "flashpay_counters_rolled_back_total",
    help: "Products whose counters in Redis were found older than they had been; their sale was shut.",
    registers,
  });
  const limited = new Counter({
    name: "flashpay_rate_limited_total",
    help: "Requests refused for their number, by limit.",
    labelNames: ["limit"],
    registers,
  });
  const shed = new Counter({
    name: "flashpay_shed_total",
    help: "Requests refused because the event loop was late, by how late.",
    labelNames: ["load"],
    registers,
  }); // A series that begins with its first event hides that event from increase() and rate().
  for (const result of ["acknowledged", "unknown"]) batchSeconds.zero({ result });
  for (const outcome of ALARMING) intake.inc({ outcome }, 0);

  return {
    shed(load) {
      shed.inc({ load });
    },
    limited(limit) {
      limited.inc({ limit });
    },
    counters() {
      counters.inc();
    },
    intake(outcome, seconds) {
      intake.inc({ outcome });
      intakeSeconds.observe({ outcome }, seconds);
    },
    produced({ size, ms, ok }) {
      batchOrders.observe(size);
      batchSeconds.observe({ result: ok ? "acknowledged" : "unknown" }, ms / 1_000);
    },
  };
}
