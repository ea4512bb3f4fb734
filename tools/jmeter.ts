import { join, resolve } from "node:path";
import mysql, { type Connection } from "mysql2/promise";
import { createApiClient } from "./jmeter/api-client.ts";
import { issueTokens, seedBuyers, writeBuyers } from "./jmeter/buyers.ts";
import { findJmeter } from "./jmeter/install.ts";
import { planProperties } from "./jmeter/load.ts";
import { measure, warmUp } from "./jmeter/measure.ts";
import { HELP, parseOptions, type Options } from "./jmeter/options.ts";
import { describeRun, isClean, tableOf, type RunResult } from "./jmeter/present.ts";
import { runningSite, startOwnSite, type Site } from "./jmeter/site.ts";
import { StackFailure } from "./stack/failure.ts";
import { REPOSITORY } from "./stack/home.ts";
import { killEverything, stopEverything } from "./stack/registry.ts";
import { createReport } from "./stack/report.ts";
import { onStopWish } from "./stack/signals.ts";
import { makeTestHome, removeAbandonedHomes, removeTestHome } from "./stack/test-home.ts";

const INTERRUPTED = 130;

const report = createReport((line) => process.stdout.write(line));
let interrupted = false;

if (process.argv.includes("--help") || process.argv.includes("-h")) {
  process.stdout.write(HELP);
  process.exit(0);
}
// Also the buyers' tokens are in there: whatever way this process ends, they go.
const { path: home, temporary } = makeTestHome();
process.on("exit", () => {
  killEverything();
  removeTestHome(home);
});
onStopWish(() => {
  interrupted = true;
  report("stopping");
  void stopEverything().then(() => process.exit(INTERRUPTED));
});
try {
  const clean = await main(parseOptions(process.argv.slice(2)));
  await stopEverything();
  process.exit(clean ? 0 : 1);
} catch (error) {
  await failed(error);
}

async function main(options: Options): Promise<boolean> {
  await removeAbandonedHomes(report);
  const site = options.stack ? runningSite(process.env) : await startOwnSite(home, temporary, report);
  const database = await mysql.createConnection(addressOf(site));
  try {
    return options.prepare === undefined
      ? await measureAll(site, database, options)
      : await prepare(site, database, options, resolve(options.prepare));
  } finally {
    await database.end();
  }
}

async function measureAll(site: Site, database: Connection, options: Options): Promise<boolean> {
  const jmeter = await findJmeter(process.env, report);
  report(jmeter.label);
  const csv = join(temporary, "buyers.csv");
  const ids = await seedBuyers(database, options.users + options.warmup);
  const buyers = issueTokens(ids, site.jwtSecret);
  writeBuyers(csv, buyers.slice(options.warmup));
  report(`${String(options.users)} buyers have accounts and tokens`);
  const warming = buyers.slice(0, options.warmup).map(({ token }) => token);
  await warmUp({ site, database, report }, warming);

  const folder = join(REPOSITORY, "jmeter/results", new Date().toISOString().replaceAll(/[:.]/g, "-"));
  const results: RunResult[] = [];
  for (let number = 1; number <= options.runs; number += 1) {
    const place = options.runs === 1 ? folder : join(folder, `run-${String(number)}`);
    const result = await measure({ site, database, jmeter, csv, options, report }, place);
    results.push(result);
    process.stdout.write(`\n${describeRun(result)}\n\n`);
  }
  if (results.length > 1) process.stdout.write(`${tableOf(results)}\n\n`);
  return results.every(isClean);
}

/** For a JMeter on another machine, or with a window. */
async function prepare(site: Site, database: Connection, options: Options, csv: string): Promise<boolean> {
  const ids = await seedBuyers(database, options.users);
  writeBuyers(csv, issueTokens(ids, site.jwtSecret));
  const productId = await createApiClient(site.apiUrl, site.admin).openSale("Load test", options.users);
  const properties = planProperties(site.apiUrl, productId, csv, options);
  process.stdout.write(`
${String(options.users)} buyers are in ${csv}; product ${String(productId)} is on sale. Now:

jmeter -n -t jmeter/flash-sale.jmx -l results.jtl -e -o report ${properties.join(" ")}
`);
  return true;
}

function addressOf({ mysql: { host, port, user, password, database } }: Site) {
  return { host, port, user, password, database };
}

/** What a stop breaks off is no news: the signal's own way out is under way. */
async function failed(error: unknown): Promise<void> {
  if (interrupted) return;
  const bug = error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.stderr.write(`${error instanceof StackFailure ? error.message : `This is a bug: ${bug}`}\n`);
  await stopEverything();
  process.exit(1);
}
