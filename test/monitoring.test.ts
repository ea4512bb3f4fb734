import { readFileSync } from "node:fs";
import { expect } from "chai";
import { parse } from "yaml";
import { createApiMetrics } from "../api/metrics.ts";
import { createRegistry } from "../shared/metrics.ts";
import { run } from "../tools/stack/command.ts";
import { createWorkerMetrics } from "../worker/metrics.ts";

const FOLDER = "docker/monitoring";
const ALERTS = `${FOLDER}/alerts.yml`;
const DASHBOARD = `${FOLDER}/grafana/dashboards/flashpay.json`;
/** What prom-client makes of a histogram. */
const SERIES = ["", "_bucket", "_sum", "_count"];
/** Base units, or what is counted: https://prometheus.io/docs/practices/naming/ */
const UNITS = ["seconds", "bytes", "orders", "letters", "units"];

interface Alert {
  readonly alert: string;
  readonly expr: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly summary: string; readonly runbook: string };
}
interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly targets?: readonly { readonly expr: string }[];
}
interface Registered {
  readonly name: string;
  readonly help: string;
  readonly type: string;
}

describe("monitoring", () => {
  const { groups } = parse(readFileSync(ALERTS, "utf8")) as { groups: { rules: Alert[] }[] };
  const alerts = groups.flatMap(({ rules }) => rules);
  const { panels } = JSON.parse(readFileSync(DASHBOARD, "utf8")) as { panels: Panel[] };
  const asked = [
    ...alerts.map(({ alert, expr }) => ({ where: alert, expr })),
    ...panels.flatMap(({ title, targets = [] }) => targets.map(({ expr }) => ({ where: title, expr }))),
  ];
  let registered: Registered[];
  let scrape: string;

  before(async () => {
    const api = createRegistry("api");
    createApiMetrics(api);
    const worker = createRegistry("worker");
    createWorkerMetrics(worker, {
      lag: () => Promise.resolve(0n),
      oldestUndecidedAgeS: () => 0,
      deadLetters: () => Promise.resolve(0),
      oldestDeadLetterAt: () => Promise.resolve(null),
      unitsLeft: () => Promise.resolve(new Map([[1, 10]])),
    });
    registered = [api, worker].flatMap((registry) => registry.getMetricsAsArray() as unknown as Registered[]);
    scrape = await worker.metrics();
  });

  it("asks only for metrics that the programs have", () => {
    const known = new Set(registered.flatMap(({ name }) => SERIES.map((suffix) => name + suffix)));
    const missing = asked.flatMap(({ where, expr }) =>
      metricsIn(expr)
        .filter((name) => !known.has(name))
        .map((name) => `${where}: ${name}`),
    );
    expect(missing).to.deep.equal([]);
    expect(asked.flatMap(({ expr }) => metricsIn(expr))).to.have.length.above(asked.length - 1);
  });

  it("shows or watches every metric of FlashPay's own", () => {
    const used = asked.map(({ expr }) => expr).join("\n");
    const idle = registered.filter(({ name }) => name.startsWith("flashpay_") && !used.includes(name));
    expect(idle.map(({ name }) => name)).to.deep.equal([]);
  });

  it("names metrics as Prometheus asks for: a prefix, a unit last, _total for counters and for nothing else", () => {
    const own = registered.filter(({ name }) => name.startsWith("flashpay_"));
    expect(own).to.have.length.above(10);
    for (const { name, type, help } of own) {
      expect(help, name).to.match(/\.$/);
      if (type === "counter") expect(name).to.match(/^flashpay_[a-z_]+_total$/);
      else expect(name).to.match(new RegExp(`^flashpay_[a-z_]+_(${UNITS.join("|")})$`));
    }
  });

  it("counts what alerts look for from 0, so that the first event is seen", () => {
    expect(scrape).to.match(/^flashpay_worker_decisions_total\{.*outcome="FAILED".*\} 0$/m);
    expect(scrape).to.match(/^flashpay_counters_repaired_total\{event="shut".*\} 0$/m);
    expect(scrape).to.match(/^flashpay_product_left_units\{product="1".*\} 10$/m);
  });

  it("has a severity, a summary and a section of the runbook for each alert, and an alert for each section", () => {
    const operations = readFileSync("docs/operations.md", "utf8");
    const sections = [...operations.matchAll(/^### (Flashpay\w+)$/gm)].map(([, name]) => name);
    expect(sections).to.deep.equal(alerts.map(({ alert }) => alert));
    for (const { alert, labels, annotations } of alerts) {
      expect(labels.severity, alert).to.be.oneOf(["critical", "warning", "info"]);
      expect(annotations.summary, alert).to.match(/\w+ \w+/);
      expect(annotations.runbook).to.equal(`docs/operations.md#${alert.toLowerCase()}`);
    }
  });

  it("gives every panel an id and a title of its own", () => {
    expect(new Set(panels.map(({ id }) => id)).size).to.equal(panels.length);
    expect(new Set(panels.map(({ title }) => title)).size).to.equal(panels.length);
  });

  it("passes promtool's checks of rules and configuration", async function () {
    if (!(await run("promtool", ["--version"])).ok) {
      process.stdout.write(
        "      promtool is not installed here (Debian: prometheus): its own checks are skipped\n",
      );
      this.skip();
    }
    expect(await run("promtool", ["check", "rules", ALERTS])).to.include({ ok: true });
    // The file names the rules by their place in the container; they are checked above.
    const syntax = ["check", "config", "--syntax-only", `${FOLDER}/prometheus.yml`];
    expect(await run("promtool", syntax)).to.include({ ok: true });
  });
});

function metricsIn(expr: string): string[] {
  const bare = expr.replace(/"[^"]*"/g, "").replace(/\b(by|on) \([^)]*\)/g, "");
  return [...bare.matchAll(/\b(flashpay|nodejs|process)_\w+/g)].map(([name]) => name);
}
