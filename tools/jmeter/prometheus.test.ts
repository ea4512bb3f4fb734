import { expect } from "chai";
import { LATENCY_BUCKETS_S } from "../../shared/metrics.ts";
import { Histogram as PromHistogram, Counter, Registry } from "prom-client";
import { counterBy, growth, histogramGrowth, histogramOf, parseScrape, rangesOf } from "./prometheus.ts";

describe("a scrape of metrics", () => {
  const registry = new Registry();
  registry.setDefaultLabels({ program: "api" });
  const labelNames = ["outcome"];
  const orders = new Counter({ name: "orders_total", help: "x", labelNames, registers: [registry] });
  const seconds = new PromHistogram({
    name: "answer_seconds",
    help: "x",
    labelNames,
    buckets: LATENCY_BUCKETS_S,
    registers: [registry],
  });
  const read = async () => parseScrape(await registry.metrics());

  beforeEach(() => {
    registry.resetMetrics();
  });

  it("gives counters by label, and what they grew by", async () => {
    orders.inc({ outcome: "accepted" }, 3);
    orders.inc({ outcome: 'odd "one", {really}' }, 1);
    const before = counterBy(await read(), "orders_total", "outcome");
    orders.inc({ outcome: "accepted" }, 2);
    orders.inc({ outcome: "sold_out" }, 1);
    const after = counterBy(await read(), "orders_total", "outcome");
    expect(before.get("accepted")).to.equal(3);
    expect(Object.fromEntries(growth(before, after))).to.deep.equal({ accepted: 2, sold_out: 1 });
  });

  it("says between which bounds a quantile of new observations lies", async () => {
    seconds.observe({ outcome: "accepted" }, 9); // before: must not count
    const before = histogramOf(await read(), "answer_seconds", { outcome: "accepted" });
    for (let index = 0; index < 999; index += 1) seconds.observe({ outcome: "accepted" }, 0.004);
    seconds.observe({ outcome: "accepted" }, 60);
    seconds.observe({ outcome: "sold_out" }, 0.0001);
    const grown = histogramGrowth(
      before,
      histogramOf(await read(), "answer_seconds", { outcome: "accepted" }),
    );
    const usual = { above: 0.0025, upTo: 0.005 };
    expect(grown.count).to.equal(1_000);
    expect(rangesOf(grown)).to.deep.equal([usual, usual, usual, usual]);
    seconds.observe({ outcome: "accepted" }, 60);
    seconds.observe({ outcome: "accepted" }, 60);
    const slower = histogramGrowth(
      before,
      histogramOf(await read(), "answer_seconds", { outcome: "accepted" }),
    );
    expect(rangesOf(slower)?.at(-1)).to.deep.equal({ above: 10, upTo: Infinity });
  });

  it("says nothing about a histogram without observations", async () => {
    expect(rangesOf(histogramOf(await read(), "answer_seconds"))).to.equal(undefined);
    expect(rangesOf(histogramOf([], "answer_seconds"))).to.equal(undefined);
  });
});
