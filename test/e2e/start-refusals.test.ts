import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { once } from "node:events";
import { expect } from "chai";
import { Kafka, logLevel } from "kafkajs";
import { TOPICS } from "../../shared/kafka/topics.ts";
import { startServers, type Servers } from "../../tools/stack/servers.ts";
import { openDatabase, type Database } from "../support/database.ts";
import { runProgram } from "../support/program-run.ts";
import { openSandbox, type Sandbox } from "../support/sandbox.ts";
import { asNamed, mysqlRoot } from "../support/servers.ts";

const PROGRAMS = ["api", "worker"] as const;
const START_TIMEOUT_MS = 60_000;
const NOBODY = "127.0.0.1:1";

type Different = Readonly<Record<string, string>>;

/** What every refusal is: exit code 1, one sentence that names the setting, no stack, nothing secret. */
describe("a program refuses to start", function () {
  this.timeout(START_TIMEOUT_MS);
  let sandbox: Sandbox;
  let root: Database;

  before(async () => {
    sandbox = await openSandbox();
    root = openDatabase(mysqlRoot());
  });
  after(async () => {
    await root.close();
    await sandbox.close();
  });

  async function refusal(program: (typeof PROGRAMS)[number], different: Different = {}): Promise<string> {
    const free = { PORT: "1024", WORKER_PORT: "1025" };
    const env = sandbox.settings({ ...free, ...different });
    const { code, stdout, stderr } = await runProgram(program, env);
    const said = `${program} ended with ${String(code)}: ${stderr}${stdout}`;
    expect(code, said).to.equal(1);
    expect(stderr.trimEnd().split("\n"), said).to.have.length(1);
    expect(stderr, said).to.match(/^[A-Z][A-Za-z_ ]+: .*\.\n$/);
    expect(said).not.to.match(/\n\s+at |node_modules|\.ts:\d/);
    for (const name of ["MYSQL_PASSWORD", "JWT_SECRET"]) {
      const secret = env[name] ?? "";
      if (secret.length >= 16) expect(said, name).not.to.contain(secret);
    }
    expect(said).not.to.contain(new URL(sandbox.redisUrl).password);
    return stderr;
  }

  function bothRefuse(different: () => Different | Promise<Different>, pattern: RegExp): void {
    for (const program of PROGRAMS) {
      it(`(${program})`, async () => {
        expect(await refusal(program, await different())).to.match(pattern);
      });
    }
  }

  describe("whose settings are wrong, with every problem at once", () => {
    const wrong: Different = {
      NODE_ENV: "prod",
      LOG_LEVEL: "loud",
      MYSQL_HOST: "",
      MYSQL_PORT: "70000",
      MYSQL_PASSWORD: "",
      REDIS_URL: "http://localhost",
      KAFKA_BROKERS: "localhost",
      KAFKA_TOPIC_REPLICATION: "0",
    };

    it("(api)", async () => {
      const more = { PORT: "x", JWT_SECRET: "too short", JWT_EXPIRES_IN: "1 day" };
      const sentence = await refusal("api", { ...wrong, ...more });
      for (const name of Object.keys({ ...wrong, ...more })) expect(sentence).to.contain(name);
      expect(sentence).not.to.contain("too short");
    });

    it("(worker)", async () => {
      const sentence = await refusal("worker", { ...wrong, WORKER_PORT: "x" });
      for (const name of Object.keys({ ...wrong, WORKER_PORT: "" })) expect(sentence).to.contain(name);
    });

    it("when a file that is to hold a secret cannot be read", async () => {
      const different = { JWT_SECRET: "", JWT_SECRET_FILE: "/nowhere/secret" };
      expect(await refusal("api", different)).to.contain("JWT_SECRET_FILE");
    });
  });

  describe("whose JWT_SECRET is guessable", () => {
    for (const [what, secret] of [
      ["missing", ""],
      ["of 31 bytes", randomBytes(24).toString("base64url").slice(0, 31)],
      ["one letter, many times", "a".repeat(64)],
      ["out of a tutorial", "secretsecretsecretsecretsecretsecret"],
      ["out of another", "changeme-changeme-changeme-changeme"],
      ["the name of the thing", "your-jwt-secret-your-jwt-secret-0123"],
    ] as const) {
      it(what, async () => {
        expect(await refusal("api", { JWT_SECRET: secret })).to.contain("JWT_SECRET");
      });
    }
  });

  it("whose port would be open in production without TLS in front (api)", async () => {
    const sentence = await refusal("api", { NODE_ENV: "production", HOST: "0.0.0.0", TRUST_PROXY: "1" });
    expect(sentence).to.match(/^Settings refused: TLS_ENDED_BY_PROXY /);
  });

  it("whose pages of other origins would come without TLS, and tokens live for a week (api)", async () => {
    const different = { CORS_ORIGINS: "http://shop.example", JWT_EXPIRES_IN: "168h" };
    const sentence = await refusal("api", { NODE_ENV: "production", ...different });
    for (const name of Object.keys(different)) expect(sentence).to.contain(name);
    expect(sentence).not.to.contain("shop.example");
  });

  describe("that cannot reach", () => {
    describe("MySQL", () => {
      bothRefuse(() => ({ MYSQL_PORT: "1" }), /^MYSQL_HOST: /);
    });
    describe("MySQL, for want of the right password", () => {
      bothRefuse(() => ({ MYSQL_PASSWORD: "not the right one" }), /^MYSQL_[A-Z]+: /);
    });
    describe("Redis", () => {
      bothRefuse(() => ({ REDIS_URL: `redis://${NOBODY}` }), /^REDIS_URL: /);
    });
    describe("Kafka", () => {
      bothRefuse(() => ({ KAFKA_BROKERS: NOBODY }), /^KAFKA_BROKERS: /);
    });
  });

  describe("whose port is taken", () => {
    const stranger = createServer();

    before(async () => {
      stranger.listen(0, "127.0.0.1");
      await once(stranger, "listening");
    });
    after((done) => {
      stranger.close(done);
    });

    bothRefuse(() => {
      const port = String((stranger.address() as AddressInfo).port);
      return { PORT: port, WORKER_PORT: port };
    }, /^(WORKER_)?PORT: /);
  });

  describe("whose MySQL is not in strict mode", () => {
    let mode: string;

    before(async () => {
      const [row] = await root.rows<{ mode: string }>("SELECT @@GLOBAL.sql_mode AS mode");
      mode = row?.mode ?? "";
      await root.run("SET GLOBAL sql_mode = 'NO_ENGINE_SUBSTITUTION'");
    });
    after(() => root.run("SET GLOBAL sql_mode = ?", [mode]));

    bothRefuse(() => ({}), /^MYSQL_HOST: .*strict mode/);
  });

  describe("whose database lacks a migration", () => {
    let name: string;

    before(async () => {
      const [row] = await sandbox.database.rows<{ name: string }>(
        "SELECT MAX(name) AS name FROM schema_migrations",
      );
      name = row?.name ?? "";
      await sandbox.database.run("DELETE FROM schema_migrations WHERE name = ?", [name]);
    });
    after(() => sandbox.database.run("INSERT INTO schema_migrations (name) VALUES (?)", [name]));

    bothRefuse(() => ({}), /^MYSQL_DATABASE: .*lacks 1 migration/);
  });

  describe("whose database is empty", () => {
    let empty: string;

    before(async () => {
      empty = `${sandbox.mysql.database}_empty`;
      await root.run("CREATE DATABASE ??", [empty]);
    });
    after(() => root.run("DROP DATABASE ??", [empty]));

    bothRefuse(() => ({ MYSQL_DATABASE: empty }), /^MYSQL_DATABASE: .*npm run db:migrate/);
  });

  describe("whose Redis may evict keys", () => {
    before(() => sandbox.redis.config("SET", "maxmemory-policy", "allkeys-lru"));
    after(() => sandbox.redis.config("SET", "maxmemory-policy", "noeviction"));

    bothRefuse(() => ({}), /^REDIS_URL: .*maxmemory-policy/);
  });

  describe("whose Redis keeps no append-only file, in production", () => {
    before(() => sandbox.redis.config("SET", "appendonly", "no"));
    after(() => sandbox.redis.config("SET", "appendonly", "yes"));

    bothRefuse(() => ({ NODE_ENV: "production" }), /^REDIS_URL: .*appendonly/);
  });

  describe("whose topic has fewer replicas than set", () => {
    bothRefuse(() => ({ KAFKA_TOPIC_REPLICATION: "3" }), /^KAFKA_TOPIC_REPLICATION: .*1 replica/);
  });

  describe("whose topic is missing", () => {
    let folder: string;
    let servers: Servers;

    before(async () => {
      folder = mkdtempSync(join(tmpdir(), "flashpay-refusals-"));
      servers = await startServers({
        home: folder,
        env: { ...process.env, ...asNamed("mysql", "redis") },
        report: () => undefined,
      });
    });
    after(async () => {
      await servers.stop();
      rmSync(folder, { recursive: true, force: true });
    });

    bothRefuse(
      () => ({ KAFKA_BROKERS: servers.kafka.brokers }),
      new RegExp(`^KAFKA_BROKERS: the topic ${TOPICS.orders} is missing`),
    );

    it("also when only the one for dead letters is", async () => {
      const { brokers } = servers.kafka;
      const kafka = new Kafka({ brokers: [brokers], logLevel: logLevel.NOTHING });
      const admin = kafka.admin();
      await admin.connect();
      await admin.createTopics({ topics: [{ topic: TOPICS.orders }], waitForLeaders: true });
      await admin.disconnect();
      expect(await refusal("worker", { KAFKA_BROKERS: brokers })).to.contain(TOPICS.deadLetters);
    });
  });
});
