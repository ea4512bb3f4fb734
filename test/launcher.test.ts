import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { Redis } from "ioredis";
import { Kafka, logLevel } from "kafkajs";
import mysql from "mysql2/promise";
import { loadApiConfig } from "../api/config.ts";
import { run } from "../tools/stack/command.ts";
import { StackFailure } from "../tools/stack/failure.ts";
import { writeJson } from "../tools/stack/files.ts";
import { ownAccount, programSettings } from "../tools/stack/programs.ts";
import { startServers, type Servers } from "../tools/stack/servers.ts";
import { createTopics } from "../tools/stack/topics.ts";
import { waitFor } from "../tools/stack/wait.ts";
import { loadWorkerConfig } from "../worker/config.ts";

const START_TIMEOUT_MS = 120_000;

describe("the launcher's servers", function () {
  this.timeout(START_TIMEOUT_MS);
  let home: string;
  let servers: Servers | undefined;
  let reported: string[];

  const start = async (env: NodeJS.ProcessEnv = process.env): Promise<Servers> => {
    reported = [];
    servers = await startServers({ home, env, report: (sentence) => reported.push(sentence) });
    return servers;
  };
  const stop = async (): Promise<void> => {
    await servers?.stop();
    servers = undefined;
  };

  before(() => {
    home = mkdtempSync(join(tmpdir(), "flashpay-launcher-"));
  });
  afterEach(stop);
  after(() => {
    rmSync(home, { recursive: true, force: true });
  });

  it("start from nothing, each with what the programs insist on", async () => {
    const { mysql: database, redis, kafka } = await start();
    const [settings] = await query(
      database,
      "SELECT @@sql_mode AS mode, @@time_zone AS zone, @@log_bin AS binlog, @@innodb_flush_log_at_trx_commit AS flush",
    );
    expect(settings).to.deep.include({ zone: "+00:00", binlog: 0, flush: 1 });
    expect(settings?.["mode"]).to.contain("STRICT_TRANS_TABLES");
    expect(await redisSettings(redis.url)).to.deep.equal({
      appendonly: "yes",
      "maxmemory-policy": "noeviction",
    });
    expect(await createTopics(kafka.brokers)).to.equal(1);
    await remember(database, redis.url, kafka.brokers);
  });

  it("keep data and ports from one start to the next", async () => {
    const before = readFileSync(join(home, "ports.json"), "utf8");
    const { mysql: database, redis, kafka } = await start();
    expect(readFileSync(join(home, "ports.json"), "utf8")).to.equal(before);
    expect(await recall(database, redis.url, kafka.brokers)).to.deep.equal(["kept", "kept", "1"]);
  });

  it("refuse a second launcher", async () => {
    await start();
    const second = await refusal(startServers({ home, env: process.env, report: () => undefined }));
    expect(second).to.equal(`FlashPay (pid ${String(process.pid)}) is already running from ${home}.`);
  });

  it("come back after kill -9 of each, on the same port, with their data", async () => {
    const { mysql: database, redis, kafka } = await start();
    for (const server of [database, redis, kafka]) {
      const { pid, port } = server;
      server.kill("SIGKILL");
      expect(await server.exited()).to.equal("SIGKILL");
      expect(server.pid).to.equal(undefined);
      await server.restart();
      expect(server.pid).not.to.equal(pid);
      expect(server.port).to.equal(port);
    }
    expect(await recall(database, redis.url, kafka.brokers)).to.deep.equal(["kept", "kept", "1"]);
  });

  it("stop also when they are frozen", async () => {
    const { redis } = await start();
    redis.kill("SIGSTOP");
    await redis.stop();
    expect(redis.pid).to.equal(undefined);
  });

  it("of a launcher that was killed are stopped, and those killed with it recover", async () => {
    const launcher = spawn(process.execPath, ["--import", "tsx", "test/support/servers-process.ts", home], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await once(launcher.stdout, "data");
    launcher.kill("SIGKILL");
    await once(launcher, "exit");
    process.kill(leftPid(home, "mysql"), "SIGKILL");
    const { mysql: database, redis, kafka } = await start();
    expect(reported).to.include("stopped redis, left running by a launcher that was killed");
    expect(reported).to.include("stopped kafka, left running by a launcher that was killed");
    expect(await recall(database, redis.url, kafka.brokers)).to.deep.equal(["kept", "kept", "1"]);
  });

  it("are those that the environment names, and then none of its own", async () => {
    const own = join(home, "empty");
    const env = { ...process.env, ...named() };
    const used = await startServers({ home: own, env, report: () => undefined });
    await used.stop();
    expect([used.mysql.pid, used.redis.pid, used.kafka.pid]).to.deep.equal([undefined, undefined, undefined]);
    expect(used.redis.url).to.equal(process.env["TEST_REDIS_URL"]);
    expect(() => {
      used.redis.kill("SIGKILL");
    }).to.throw(StackFailure);
  });

  it("are found by what stands in files, as Docker and Kubernetes hand secrets out", async () => {
    const own = join(home, "files");
    mkdirSync(own);
    const inFiles = ["MYSQL_PASSWORD", "REDIS_URL"] as const;
    const env: NodeJS.ProcessEnv = { ...process.env, ...named() };
    for (const name of inFiles) {
      writeFileSync(join(own, name), `${env[name] ?? ""}\n`);
      env[`${name}_FILE`] = join(own, name);
      env[name] = undefined;
    }
    const used = await startServers({ home: join(own, "home"), env, report: () => undefined });
    await used.stop();
    expect(used.mysql.password).to.equal(process.env["TEST_MYSQL_PASSWORD"]);
    expect(used.redis.url).to.equal(process.env["TEST_REDIS_URL"]);
    expect(
      await refusal(
        startServers({ home: join(own, "home"), env: { ...env, ...named() }, report: () => undefined }),
      ),
    ).to.contain("MYSQL_PASSWORD and MYSQL_PASSWORD_FILE are both set");
  });

  it("that the environment names come with a word of who owns the tables, unless the programs have accounts", async () => {
    const told = async (accounts: NodeJS.ProcessEnv): Promise<string> => {
      const said: string[] = [];
      const env = { ...process.env, ...named(), ...accounts };
      const used = await startServers({ home: join(home, "empty"), env, report: (line) => said.push(line) });
      await used.stop();
      return said.join("\n");
    };
    expect(await told({})).to.contain("MYSQL_API_USER and MYSQL_WORKER_USER");
    expect(await told({ MYSQL_API_USER: "a" })).to.contain("MYSQL_API_USER and MYSQL_WORKER_USER");
    expect(await told({ MYSQL_API_USER: "a", MYSQL_WORKER_USER: "w" })).not.to.contain("MYSQL_API_USER");
  });

  for (const [setting, value] of [
    ["MYSQL_PASSWORD", "wrong"],
    ["REDIS_URL", "redis://127.0.0.1:1"],
    ["KAFKA_BROKERS", "127.0.0.1:1"],
  ] as const) {
    it(`that the environment names are refused with one sentence when ${setting} is wrong`, async () => {
      const env = { ...process.env, ...named(), [setting]: value };
      const sentence = await refusal(
        startServers({ home: join(home, "empty"), env, report: () => undefined }),
      );
      expect(sentence).to.match(/^(MySQL|Redis|Kafka) at .* cannot be used: .*\.$/);
      expect(sentence).not.to.contain("wrong");
    });
  }

  it("refuse data that somebody else made, and leave no server behind", async () => {
    const foreign = join(home, "foreign");
    mkdirSync(join(foreign, "mysql/data"), { recursive: true });
    const sentence = await refusal(
      startServers({ home: foreign, env: process.env, report: () => undefined }),
    );
    expect(sentence).to.contain(`${join(foreign, "mysql")} was not made by FlashPay`);
    expect(() => leftPid(foreign, "redis")).to.throw();
  });

  it("refuse the log of another Kafka cluster", async () => {
    writeJson(join(home, "kafka/stamp.json"), { clusterId: "another" });
    expect(await refusal(start())).to.contain("belongs to another Kafka cluster");
  });
});

describe("the settings that the launcher gives to the programs", () => {
  const folder = mkdtempSync(join(tmpdir(), "flashpay-launcher-"));
  after(() => {
    rmSync(folder, { recursive: true });
  });
  const fileWith = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const secret = "c9e2f4b6d80f3571c9e2f4b6d80f3571-Yw";
  const wiring = {
    mysql: { host: "db", port: 3306, user: "owner", password: "owner's", database: "flashpay" },
    redis: { url: "redis://cache:6379" },
    kafka: { brokers: "log:9092" },
    replication: 1,
    jwtSecret: secret,
  };

  it("are taken by both, whichever of them somebody keeps in files", () => {
    const env = programSettings(
      {
        NODE_ENV: "development",
        MYSQL_PASSWORD_FILE: fileWith("owner", "owner's\n"),
        REDIS_URL_FILE: fileWith("redis", "redis://cache:6379\n"),
        JWT_SECRET_FILE: fileWith("jwt", `${secret}\n`),
        MYSQL_API_USER: "the_api",
        MYSQL_API_PASSWORD_FILE: fileWith("api", "the api's\n"),
        MYSQL_WORKER_USER: "the_worker",
        MYSQL_WORKER_PASSWORD_FILE: fileWith("worker", "the worker's\n"),
      },
      wiring,
    );
    expect(loadApiConfig(ownAccount("api", env))).to.include({
      ...{ JWT_SECRET: secret, MYSQL_USER: "the_api", MYSQL_PASSWORD: "the api's" },
      REDIS_URL: "redis://cache:6379",
    });
    const ofWorker = ownAccount("worker", env);
    expect(loadWorkerConfig(ofWorker)).to.include({
      MYSQL_USER: "the_worker",
      MYSQL_PASSWORD: "the worker's",
    });
    expect(JSON.stringify(ofWorker)).not.to.contain("the api's");
  });

  it("leave to the programs the files of settings that the launcher does not know", () => {
    const file = fileWith("before", "d1e2f4b6d80f3571c9e2f4b6d80f3571-Qq\n");
    const env = programSettings({ NODE_ENV: "development", JWT_SECRET_PREVIOUS_FILE: file }, wiring);
    expect(loadApiConfig(env).JWT_SECRET_PREVIOUS).to.match(/-Qq$/);
  });
});

describe("npm start", function () {
  this.timeout(START_TIMEOUT_MS);

  it("says in one sentence that its port is in use", async () => {
    const stranger = createServer().listen(0, "127.0.0.1");
    await once(stranger, "listening");
    const address = stranger.address();
    const port = typeof address === "object" && address ? String(address.port) : "";
    const home = mkdtempSync(join(tmpdir(), "flashpay-launcher-"));
    const result = await run(process.execPath, ["--import", "tsx", "tools/start.ts"], {
      env: { ...process.env, PORT: port, FLASHPAY_HOME: home },
    });
    stranger.close();
    rmSync(home, { recursive: true });
    expect(result.ok).to.equal(false);
    expect(result.output.trim()).to.equal(
      `Port ${port} is in use: free it, or choose another, as in PORT=3001 npm start.`,
    );
  });

  it("says in one sentence that it cannot write to its folder", async () => {
    const file = join(mkdtempSync(join(tmpdir(), "flashpay-launcher-")), "a-file");
    writeFileSync(file, "");
    const result = await run(process.execPath, ["--import", "tsx", "tools/start.ts"], {
      env: { ...process.env, FLASHPAY_HOME: file },
    });
    expect(result.ok).to.equal(false);
    expect(result.output.trim().split("\n")).to.have.length(1);
    expect(result.output).to.contain("choose another with FLASHPAY_HOME");
  });

  it("explains itself", async () => {
    const result = await run(process.execPath, ["--import", "tsx", "tools/start.ts", "--help"]);
    expect(result.ok).to.equal(true);
    expect(result.output).to.contain("FLASHPAY_HOME");
  });
});

async function refusal(starting: Promise<Servers>): Promise<string> {
  try {
    await (await starting).stop();
  } catch (error) {
    expect(error).to.be.instanceOf(StackFailure);
    return error instanceof Error ? error.message : "";
  }
  throw new Error("it started");
}

function leftPid(home: string, name: string): number {
  const left = JSON.parse(readFileSync(join(home, `run/${name}.json`), "utf8")) as { pid: number };
  return left.pid;
}

/** The servers of this test run, as a person would name them. */
function named(): NodeJS.ProcessEnv {
  const { env } = process;
  return {
    MYSQL_HOST: env["TEST_MYSQL_HOST"],
    MYSQL_PORT: env["TEST_MYSQL_PORT"],
    MYSQL_USER: env["TEST_MYSQL_USER"],
    MYSQL_PASSWORD: env["TEST_MYSQL_PASSWORD"],
    MYSQL_DATABASE: env["TEST_MYSQL_DATABASE"],
    REDIS_URL: env["TEST_REDIS_URL"],
    KAFKA_BROKERS: env["TEST_KAFKA_BROKERS"],
  };
}

async function query({ host, port, user, password, database }: Servers["mysql"], sql: string) {
  const connection = await mysql.createConnection({ host, port, user, password, database });
  try {
    const [rows] = await connection.query<mysql.RowDataPacket[]>(sql);
    return rows;
  } finally {
    await connection.end();
  }
}

async function withRedis<T>(url: string, work: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis(url);
  try {
    return await work(redis);
  } finally {
    redis.disconnect();
  }
}

function redisSettings(url: string): Promise<object> {
  return withRedis(url, async (redis) => {
    const pairs = await Promise.all(
      ["appendonly", "maxmemory-policy"].map((name) => redis.config("GET", name)),
    );
    return Object.fromEntries(pairs as [string, string][]);
  });
}

/** One thing in each server. */
async function remember(database: Servers["mysql"], url: string, brokers: string): Promise<void> {
  await query(database, "CREATE TABLE kept (word VARCHAR(9) NOT NULL)");
  await query(database, "INSERT INTO kept VALUES ('kept')");
  await withRedis(url, (redis) => redis.set("word", "kept"));
  const kafka = new Kafka({ brokers: [brokers], logLevel: logLevel.NOTHING });
  const producer = kafka.producer();
  await producer.connect();
  await producer.send({ topic: "flashpay.orders.v1", messages: [{ key: "k", value: "kept" }] });
  await producer.disconnect();
}

/** The things again; for Kafka, how many messages it still has. */
async function recall(database: Servers["mysql"], url: string, brokers: string): Promise<(string | null)[]> {
  const [row] = await query(database, "SELECT word FROM kept");
  const word = await withRedis(url, (redis) => redis.get("word"));
  const admin = new Kafka({ brokers: [brokers], logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  const offsets = await waitFor(() => admin.fetchTopicOffsets("flashpay.orders.v1"), 10_000);
  await admin.disconnect();
  const messages = offsets?.reduce((total, { high }) => total + Number(high), 0);
  return [String(row?.["word"]), word, String(messages)];
}
