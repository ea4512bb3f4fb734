import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";
import type { Log } from "../shared/domain/ports.ts";
import { createBacklogWatch } from "../shared/kafka/backlog-watch.ts";
import { createKafka } from "../shared/kafka/client.ts";
import { createSequelize } from "../shared/mysql/connection.ts";
import { defineModels } from "../shared/mysql/models.ts";
import { createProductRepository } from "../shared/mysql/repositories/product-repository.ts";
import { connectRedis } from "../shared/redis/client.ts";
import { createStockStore } from "../shared/redis/stock-store.ts";
import { startProgram } from "../shared/start.ts";
import { toolSettings } from "./settings.ts";
import { databaseFindings, type Finding } from "./verify/database-invariants.ts";
import { liveFindings, underWay } from "./verify/live-invariants.ts";

const WAIT_DEFAULT_S = "30";
const POLL_MS = 200;
/** For one check over millions of rows. */
const STATEMENT_TIMEOUT_MS = 300_000;
const PRODUCTS_MAX = 100_000;
const quiet = (): void => undefined;
const silent: Log = { debug: quiet, info: quiet, warn: quiet, error: quiet };

await startProgram(main);

/** Reads MySQL, Redis and Kafka and reports each invariant: ok, or the rows that break it; exit code 1 if any breaks. */
async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { wait: { type: "string", default: WAIT_DEFAULT_S }, json: { type: "boolean", default: false } },
  });
  const settings = toolSettings();
  const sequelize = createSequelize(settings, STATEMENT_TIMEOUT_MS);
  const redis = await connectRedis({ url: settings.REDIS_URL, name: "flashpay-verify", onError: quiet });
  const admin = createKafka({
    clientId: "flashpay-verify",
    brokers: settings.KAFKA_BROKERS,
    log: silent,
  }).admin();
  await admin.connect();
  try {
    const repository = createProductRepository(sequelize, defineModels(sequelize), () => Date.now());
    const live = {
      stock: createStockStore(redis),
      backlog: createBacklogWatch(admin),
      products: () => repository.active(0, 0, PRODUCTS_MAX),
    };
    await untilDrained(live, Number(values.wait) * 1_000);
    const findings: Finding[] = [];
    for await (const finding of databaseFindings(sequelize)) findings.push(finding);
    for await (const finding of liveFindings(live)) findings.push(finding);
    report(findings, values.json);
    if (findings.some(({ rows }) => rows.length > 0)) process.exitCode = 1;
  } finally {
    await admin.disconnect();
    redis.disconnect();
    await sequelize.close();
  }
}

/** Orders that are under way break nothing; past the deadline they are reported as they are. */
async function untilDrained(live: Parameters<typeof underWay>[0], waitMs: number): Promise<void> {
  const deadline = performance.now() + waitMs;
  for (;;) {
    const { lag, reservations } = await underWay(live);
    if ((lag === 0n && reservations === 0) || performance.now() > deadline) return;
    await delay(POLL_MS);
  }
}

function report(findings: readonly Finding[], json: boolean): void {
  if (json) {
    console.log(JSON.stringify({ ok: findings.every(({ rows }) => rows.length === 0), findings }, null, 2));
    return;
  }
  for (const { invariant, rule, rows } of findings) {
    console.log(`${rows.length === 0 ? "ok    " : "BROKEN"} ${invariant.padEnd(4)} ${rule}`);
    for (const row of rows) console.log(`         ${JSON.stringify(row)}`);
  }
  const broken = findings.filter(({ rows }) => rows.length > 0).length;
  console.log(
    broken === 0
      ? `verify: all ${findings.length} checks hold`
      : `verify: ${broken} of ${findings.length} checks are broken`,
  );
}
