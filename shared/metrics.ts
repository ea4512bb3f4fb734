import { collectDefaultMetrics, Registry } from "prom-client";

/** Seconds; from a single round trip to what a user gives up on. */
export const LATENCY_BUCKETS_S = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
export const BATCH_SIZE_BUCKETS = [1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000];

/** A program's registry with the runtime's own metrics, event-loop delay (nodejs_eventloop_lag_*) among them. */
export function createRegistry(program: string): Registry {
  const registry = new Registry();
  registry.setDefaultLabels({ program });
  collectDefaultMetrics({ register: registry });
  return registry;
}
