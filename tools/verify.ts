import { setTimeout as delay } from "node:timers/promises";
import type { Admin } from "kafkajs";
import { StartRefused } from "../shared/config.ts";
import {
  byInvariant,
  createConsistency,
  type CheckResult,
  type Consistency,
  type InvariantReader,
} from "../shared/domain/consistency.ts";
import type { BacklogWatch, Log } from "../shared/domain/ports.ts";
import { createBacklogWatch } from "../shared/kafka/backlog-watch.ts";
import { createKafka } from "../shared/kafka/client.ts";
import { createSequelize } from "../shared/mysql/connection.ts";
import { createInvariantReader } from "../shared/mysql/invariant-reader.ts";
import { connectRedis } from "../shared/redis/client.ts";
import { createStockAudit } from "../shared/redis/stock-audit.ts";
import { reach } from "../shared/start.ts";
import { toolSettings } from "./settings.ts";
import { CannotVerify, HELP, readOptions, type Options } from "./verify/options.ts";
import { createProgress } from "./verify/progress.ts";
import { checkHistory } from "./verify/history-check.ts";
import { toJson, toText } from "./verify/report.ts";

const POLL_MS = 200;
const NOTHING_CHECKED = 2;
/** For one check over millions of rows. */
const STATEMENT_TIMEOUT_MS = 300_000;
const quiet = (): void => undefined;
const silent: Log = { debug: quiet, info: quiet, warn: quiet, error: quiet };
const elapsed = (): number => performance.now();

try {
  await main();
} catch (error) {
  const known = error instanceof CannotVerify || error instanceof StartRefused;
  const reason = error instanceof Error ? error.message : String(error);
  process.stderr.write(known ? `${reason}\n` : `The checks could not be finished: ${reason}\n`);
  process.exit(NOTHING_CHECKED);
}

async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2));
  if (options.help) {
    console.log(HELP);
    return;
  }
  const open: (() => unknown)[] = [];
  try {
    const { consistency, backlog, database, sequelize } = await connect((release) => open.push(release));
    const { productId } = options.check;
    if (productId !== undefined && (await database.sales(productId)).length === 0)
      throw new CannotVerify(`--product: there is no product ${String(productId)}.`);
    const mark = await backlog.endOffsets();
    await untilDrained(consistency, options);
    const historySteps = options.history === undefined ? 0 : 1;
    const progress = createProgress(consistency.total(options.check) + historySteps, process.stderr.isTTY);
    const findings: CheckResult[] = [];
    let done = 0;
    const onPass = (table: string): void => {
      progress.at((done += 1), `${table} passed over`);
    };
    progress.at(done, "passing over the tables");
    for await (const result of consistency.check({ ...options.check, mark, onPass })) {
      findings.push(result);
      progress.at((done += 1), `${result.invariant} ${result.rule}`);
    }
    if (options.history !== undefined) {
      const onProgress = (part: number): void => {
        progress.at(done + part, "I1, I8 what clients heard");
      };
      findings.push(
        ...(await checkHistory({ sequelize, file: options.history, options: options.check, onProgress })),
      );
    }
    progress.stop();
    const sorted = byInvariant(findings);
    console.log(options.json ? toJson(sorted) : toText(sorted));
    if (findings.some(({ state }) => state === "broken")) process.exitCode = 1;
  } finally {
    for (const release of open.reverse()) await release();
  }
}

interface Connected {
  readonly consistency: Consistency;
  readonly backlog: BacklogWatch;
  readonly database: InvariantReader;
  readonly sequelize: ReturnType<typeof createSequelize>;
}

async function connect(onClose: (release: () => unknown) => void): Promise<Connected> {
  const settings = toolSettings();
  const sequelize = createSequelize(settings, STATEMENT_TIMEOUT_MS);
  onClose(() => sequelize.close());
  await reach("MYSQL_HOST", "MySQL", () => sequelize.authenticate());
  const redis = await reach("REDIS_URL", "Redis", () =>
    connectRedis({ url: settings.REDIS_URL, name: "flashpay-verify", onError: quiet }),
  );
  onClose(() => {
    redis.disconnect();
  });
  const brokers = settings.KAFKA_BROKERS;
  const wish = { clientId: "flashpay-verify", brokers, log: silent, security: settings };
  const admin: Admin = createKafka(wish).admin();
  onClose(() => admin.disconnect());
  await reach("KAFKA_BROKERS", "Kafka", () => admin.connect());
  const backlog = createBacklogWatch(admin);
  const database = createInvariantReader({ sequelize, elapsed, sideBySide: true });
  const stock = createStockAudit(redis);
  const consistency = createConsistency({ database, stock, backlog, elapsed });
  return { consistency, backlog, database, sequelize };
}

/** Orders that are under way break nothing: they are given this long to be decided. */
async function untilDrained(consistency: Consistency, { check, waitMs }: Options): Promise<void> {
  const deadline = elapsed() + waitMs;
  for (;;) {
    const { orders, reservations, notLoaded } = await consistency.underWay(check.productId);
    if ((orders === 0 && reservations === 0 && notLoaded === 0) || elapsed() > deadline) return;
    await delay(POLL_MS);
  }
}
