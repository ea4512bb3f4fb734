import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Connection } from "mysql2/promise";
import { run } from "../stack/command.ts";
import { REPOSITORY } from "../stack/home.ts";
import type { Report } from "../stack/report.ts";
import { createApiClient } from "./api-client.ts";
import { findingsOf } from "./findings.ts";
import type { Jmeter } from "./install.ts";
import { summarize } from "./jtl.ts";
import { readWhenSettled } from "./ledger.ts";
import { makeReport, planProperties, runPlan } from "./load.ts";
import type { Options } from "./options.ts";
import type { RunResult } from "./present.ts";
import { metricsGrowth, readOutcomes, readServerMetrics } from "./server-metrics.ts";
import { toolEnvironment, type Site } from "./site.ts";

const PROGRESS_EVERY_MS = 5_000;
const WARMUP_WAVE = 50;
/** Half of what one address may ask for by default. */
const WARMUP_WAVE_EVERY_MS = 100;
const VERIFY_DEADLINE_MS = 300_000;

/** Everything one run needs. */
export type Bench = {
  site: Site;
  database: Connection;
  jmeter: Jmeter;
  /** The file with the buyers. */
  csv: string;
  options: Options;
  report: Report;
};

/**
 * A sale of its own for other buyers: the first orders of a process pay for its compiler and its connections, which is no
 * figure of a sale.
 */
export async function warmUp(
  { site, database, report }: Pick<Bench, "site" | "database" | "report">,
  tokens: readonly string[],
): Promise<void> {
  if (tokens.length === 0) return;
  const api = createApiClient(site.apiUrl, site.admin);
  const productId = await api.openSale("Load test: warm-up", tokens.length);
  report(`warming up with ${String(tokens.length)} orders`);
  for (let first = 0; first < tokens.length; first += WARMUP_WAVE) {
    const wave = tokens.slice(first, first + WARMUP_WAVE);
    await Promise.all([delay(WARMUP_WAVE_EVERY_MS), ...wave.map((token) => api.order(productId, token))]);
  }
  await readWhenSettled(database, productId, tokens.length);
}

/** One sale, from its opening to the verdict. */
export async function measure(bench: Bench, folder: string): Promise<RunResult> {
  const { site, database, jmeter, csv, options, report } = bench;
  mkdirSync(folder, { recursive: true });
  const { users, rate, duration } = options;
  const productId = await createApiClient(site.apiUrl, site.admin).openSale("Load test", users);
  const properties = planProperties(site.apiUrl, productId, csv, options);
  report(
    `product ${String(productId)} is on sale; JMeter brings ${String(rate)} orders per second for ${String(duration)} s`,
  );

  const before = await readServerMetrics(site);
  const finished = new AbortController();
  const progress = showProgress(site, before.outcomes, report, finished.signal);
  const text = await runPlan(jmeter, folder, properties, duration).finally(() => {
    finished.abort();
  });
  await progress;
  const jtl = summarize(text);
  report("JMeter is done; waiting for the last settlement");
  const ledger = await readWhenSettled(database, productId, jtl.accepted);
  const server = metricsGrowth(before, await readServerMetrics(site));
  const observed = { wanted: { users, duration }, jtl, server, ledger };
  report("verifying");
  const verified = await verify(site);
  report("making the report");
  const page = await makeReport(jmeter, folder);
  return { ...observed, findings: findingsOf(observed), verified, report: page };
}

/** What the API has answered so far. JMeter writes its results in blocks, too late to look at. */
async function showProgress(
  site: Site,
  before: ReadonlyMap<string, number>,
  report: Report,
  signal: AbortSignal,
): Promise<void> {
  try {
    for (;;) {
      await delay(PROGRESS_EVERY_MS, undefined, { signal });
      const now = await readOutcomes(site);
      const accepted = (now.get("accepted") ?? 0) - (before.get("accepted") ?? 0);
      const others = [...now].reduce(
        (sum, [word, count]) => sum + count - (before.get(word) ?? 0),
        -accepted,
      );
      report(`${String(accepted)} accepted${others > 0 ? `, ${String(others)} answered otherwise` : ""}`);
    }
  } catch {
    // The run is over. An API that is away shows in the results.
  }
}

/** `npm run verify` on the site's servers; a person reads its own words. */
async function verify(site: Site): Promise<boolean> {
  const { ok } = await run(
    process.execPath,
    ["--import", "tsx", join(REPOSITORY, "tools/verify.ts"), "--drained"],
    {
      cwd: REPOSITORY,
      env: toolEnvironment(site),
      output: "inherit",
      deadlineMs: VERIFY_DEADLINE_MS,
    },
  );
  return ok;
}
