import { randomBytes, randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import { Kafka, logLevel, type Admin } from "kafkajs";
import { createBacklogWatch } from "../../shared/kafka/backlog-watch.ts";
import { TOPICS, WORKER_GROUP } from "../../shared/kafka/topics.ts";
import { openHome } from "../../tools/stack/home.ts";
import { leaksInLogs, leaksInTitle, secretsIn, type Secrets } from "../../tools/stack/leaks.ts";
import { migrate } from "../../tools/stack/migrate.ts";
import type { MysqlAddress } from "../../tools/stack/mysql.ts";
import { openPorts } from "../../tools/stack/ports.ts";
import { programSettings, startProgram, type Program, type ProgramName } from "../../tools/stack/programs.ts";
import type { SaleBody } from "./bodies.ts";
import { openDatabase, type Database } from "./database.ts";
import { createHttpClient, type HttpClient } from "./http-client.ts";
import { openSale, type SaleWish } from "./open-sale.ts";
import { SEEDED_PASSWORD, seedUsers, type Person } from "./seed.ts";
import { sharedServers, type Addresses } from "./servers.ts";
import { until } from "./until.ts";
import { broken, runVerify, type Verdict } from "./verify.ts";

const GROUP_EMPTY_DEADLINE_MS = 20_000;
const REDIS_DATABASES = 16;

/** Settings that let one address be a crowd; a test of the limits sets its own. */
export const CROWD = {
  NODE_ENV: "test",
  LOG_LEVEL: "warn",
  RATE_LIMIT_PER_ADDRESS: "10000000",
  RATE_LIMIT_ORDERS_PER_USER: "1000000",
  LOGIN_FAILURES_PER_ACCOUNT: "100000",
  LOGIN_FAILURES_PER_ADDRESS: "1000000",
  PASSWORDS_PER_ADDRESS: "1000000",
  // A busy machine is no reason to refuse reads.
  SHED_READS_ABOVE_MS: "60000",
  SHED_ALL_BUT_ORDERS_ABOVE_MS: "60000",
  // A machine that is busy with something else makes no order unknown; tests of the time-out set their own.
  PRODUCE_TIMEOUT_MS: "4000",
};

let redisDatabase = 0;

export type Sandbox = Awaited<ReturnType<typeof openSandbox>>;

/**
 * FlashPay for one spec: a database and a Redis keyspace of its own on given servers, and programs on ports of their own.
 * The topic is shared, so specs with programs run one after another, and each begins where the one before it ended.
 */
export async function openSandbox(servers: Addresses = sharedServers()) {
  const closing: Closing[] = [];
  const close = async (): Promise<void> => {
    let failure: unknown;
    // All of them, also when one fails: a program that is left running would disturb the specs after this one.
    for (const release of closing.splice(0).reverse())
      await Promise.resolve()
        .then(release)
        .catch((error: unknown) => (failure ??= error));
    if (failure !== undefined)
      throw failure instanceof Error ? failure : new Error("a release failed", { cause: failure });
  };
  try {
    return { ...(await fillSandbox(servers, (release) => closing.push(release))), close };
  } catch (error) {
    await close();
    throw error;
  }
}

type Closing = () => unknown;

interface StartWish {
  readonly name?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** Compiled programs are those of dist/, which the caller has built (tools/stack/build.ts). */
  readonly from?: "source" | "dist";
}

async function fillSandbox(servers: Addresses, onClose: (release: Closing) => void) {
  const folder = mkdtempSync(join(tmpdir(), "flashpay-e2e-"));
  onClose(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  const home = openHome(folder);
  const ports = openPorts(home);
  const mysql = { ...servers.mysql, database: `flashpay_${randomUUID().slice(0, 8)}` };
  redisDatabase = (redisDatabase % (REDIS_DATABASES - 1)) + 1;
  const redisUrl = `${servers.redisUrl}/${redisDatabase}`;
  // That of the run, whose whole output is searched for it in the end.
  const jwtSecret = process.env["TEST_JWT_SECRET"] ?? randomBytes(48).toString("base64url");
  const secrets: Secrets = {
    JWT_SECRET: jwtSecret,
    MYSQL_PASSWORD: mysql.password,
    ...(mysql.accounts && {
      MYSQL_API_PASSWORD: mysql.accounts.api.password,
      MYSQL_WORKER_PASSWORD: mysql.accounts.worker.password,
    }),
    "Redis' password": new URL(redisUrl).password,
    "a user's password": SEEDED_PASSWORD,
  };
  const leaks = new Set<string>();
  // Runs when every program has ended: what they wrote is whole, and not removed yet.
  onClose(() => {
    for (const leak of leaksInLogs(home.at("log"), secrets)) leaks.add(leak);
    if (leaks.size > 0) throw new Error(`Secrets have leaked: ${[...leaks].join("; ")}`);
  });

  const database = await makeDatabase(servers.mysql, mysql.database, onClose);
  const redis = new Redis(redisUrl);
  onClose(async () => {
    await redis.flushdb().catch(() => undefined);
    redis.disconnect();
  });
  redis.on("error", () => undefined); // away, when a test has killed it
  await redis.flushdb();
  const kafka = new Kafka({
    clientId: "flashpay-test",
    brokers: servers.kafkaBrokers.split(","),
    logLevel: logLevel.NOTHING,
  });
  const admin = kafka.admin();
  onClose(() => admin.disconnect());
  await admin.connect();
  const backlog = createBacklogWatch(admin);
  await skipBacklog(admin);
  const producer = kafka.producer({ allowAutoTopicCreation: false });
  onClose(() => producer.disconnect());
  await producer.connect();

  const wiring = {
    mysql,
    redis: { url: redisUrl },
    kafka: { brokers: servers.kafkaBrokers },
    replication: 1,
    jwtSecret,
  };
  const [host] = await seedUsers(database, jwtSecret, 1, "admin");
  if (!host) throw new Error("no administrator was seeded");

  return {
    ...{ servers, mysql, redisUrl, jwtSecret, database, redis, admin, producer, kafka, host, home },
    settings,
    start,
    client,
    verify: (...flags: string[]): Promise<Verdict> => runVerify(settings(), ...flags),
    openSale: (http: HttpClient, wish: SaleWish): Promise<SaleBody> => openSale(http, host, wish),
    users: (count: number): Promise<Person[]> => seedUsers(database, jwtSecret, count),
    lag: async () => Number(await backlog.lag()),
    ends: () => endsOf(admin),
    rowsOf: (productId: number) =>
      database.rows<{ id: string; user_id: number; status: string; fail_reason: string | null }>(
        "SELECT id, user_id, status, fail_reason FROM orders WHERE product_id = ?",
        [productId],
      ),
  };

  /** Settings of both programs (contract §6), and whatever a test wants to be different. */
  function settings(different: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
    return { ...programSettings({ ...process.env, ...CROWD }, wiring), ...different };
  }

  async function start(
    program: ProgramName,
    { name = program, env = {}, from = "source" }: StartWish = {},
  ): Promise<Program> {
    const running = await startProgram({
      ...{ home, program, name },
      port: await ports.claim(name),
      ...{ env: settings(env), from },
    });
    for (const leak of leaksInTitle(running.pid, secrets)) leaks.add(leak);
    onClose(() => running.stop());
    return running;
  }

  function client({ url }: Program, connections?: number): HttpClient {
    const made = createHttpClient(url, connections, undefined, (answer) => {
      for (const what of secretsIn(answer.text, secrets)) leaks.add(`an answer holds ${what}`);
    });
    onClose(made.close);
    return made;
  }
}

async function makeDatabase(
  server: MysqlAddress,
  name: string,
  onClose: (release: Closing) => void,
): Promise<Database> {
  const outside = openDatabase(server);
  onClose(() => outside.close());
  await outside.run("CREATE DATABASE ?? CHARACTER SET utf8mb4", [name]);
  onClose(() => outside.run("DROP DATABASE ??", [name]));
  await migrate({ ...server, database: name }, process.env);
  const database = openDatabase({ ...server, database: name });
  onClose(() => database.close());
  return database;
}

/** End offsets of both topics, as text that can be compared. */
async function endsOf(admin: Admin): Promise<string> {
  const topics = await Promise.all(Object.values(TOPICS).map((topic) => admin.fetchTopicOffsets(topic)));
  return JSON.stringify(
    topics.map((partitions) =>
      partitions.sort((a, b) => a.partition - b.partition).map(({ partition, high }) => [partition, high]),
    ),
  );
}

/** Messages that an earlier spec left behind belong to a database that is gone: this one's worker must not see them. */
async function skipBacklog(admin: Admin): Promise<void> {
  // A new broker makes its offsets topic only now, and refuses until it has.
  const lag = await until(
    "Kafka tells offsets",
    () => createBacklogWatch(admin).lag(),
    GROUP_EMPTY_DEADLINE_MS,
  );
  if (lag === 0n) return;
  await until(
    "the worker group is empty",
    async () => {
      const { groups } = await admin.describeGroups([WORKER_GROUP]);
      return groups.every(({ state }) => state === "Empty" || state === "Dead");
    },
    GROUP_EMPTY_DEADLINE_MS,
  );
  const partitions = await admin.fetchTopicOffsets(TOPICS.orders);
  await admin.setOffsets({
    groupId: WORKER_GROUP,
    topic: TOPICS.orders,
    partitions: partitions.map(({ partition, high }) => ({ partition, offset: high })),
  });
}

export { broken, type Person, type Verdict };
