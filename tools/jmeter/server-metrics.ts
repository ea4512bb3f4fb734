import { scrape } from "./api-client.ts";
import {
  counterBy,
  growth,
  histogramGrowth,
  histogramOf,
  parseScrape,
  type Histogram,
} from "./prometheus.ts";
import type { Site } from "./site.ts";

/** What the two programs have counted so far. */
export type ServerMetrics = {
  /** Orders answered, by outcome. */
  outcomes: ReadonlyMap<string, number>;
  /** Seconds to the answer of an accepted order. */
  answer: Histogram;
  /** Seconds from the acceptance to the end of the batch that decided the order. */
  decision: Histogram;
};

export async function readServerMetrics({ apiUrl, workerUrl }: Site): Promise<ServerMetrics> {
  const [api, worker] = (await Promise.all([scrape(apiUrl), scrape(workerUrl)])).map(parseScrape);
  return {
    outcomes: counterBy(api ?? [], "flashpay_orders_total", "outcome"),
    answer: histogramOf(api ?? [], "flashpay_order_answer_seconds", { outcome: "accepted" }),
    decision: histogramOf(worker ?? [], "flashpay_order_decision_seconds"),
  };
}

export async function readOutcomes({ apiUrl }: Site): Promise<ReadonlyMap<string, number>> {
  return counterBy(parseScrape(await scrape(apiUrl)), "flashpay_orders_total", "outcome");
}

export function metricsGrowth(before: ServerMetrics, after: ServerMetrics): ServerMetrics {
  return {
    outcomes: growth(before.outcomes, after.outcomes),
    answer: histogramGrowth(before.answer, after.answer),
    decision: histogramGrowth(before.decision, after.decision),
  };
}
