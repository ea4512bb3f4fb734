import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { loadApiConfig, readApiConfig } from "../api/config.ts";
import { StartRefused } from "../shared/config.ts";
import { openHome, type Home } from "../tools/stack/home.ts";
import type { Service } from "../tools/stack/server.ts";
import { readWorkerConfig } from "../worker/config.ts";
import { ACCOUNT, findConfigServer, startConfigServer } from "./support/config-server.ts";
import { openSandbox, type Sandbox } from "./support/sandbox.ts";

const DOWNLOAD_AND_START_MS = 700_000;
const SECRET = "b8f1d3a5c79e2460b8f1d3a5c79e2460-Zx";

const FILES: Readonly<Record<string, string>> = {
  "application.yml": "mysql: { host: everybody, port: 3399, user: everybody }\nserver.port: 8080\n",
  "flashpay.yml": [
    "flashpay:",
    "  mysql-host: db.internal",
    "  mysql: { password: pw of the file, database: flashpay }",
    "  kafka.brokers: [a:9092, b:9092]",
    "redisUrl: redis://cache:6379",
    "metrics: on",
    `jwt.secret: ${SECRET}`,
  ].join("\n"),
  "flashpay-production.yml": "RATE_LIMIT_PER_ADDRESS: 77\nevent_streams_max: 5\n",
  "flashpay-test.yml": "flashpay.log-level: info\nworker.batch-max: 17\n",
  "flashpay-broken.yml": "mysql.port: seventy hunter2\nmysql.password: '{cipher}abcdef'\n",
  "branch/flashpay.yml": "event-streams-max: 6\n",
};

describe("a real Spring Cloud Config Server", function () {
  this.timeout(DOWNLOAD_AND_START_MS);
  let folder: string;
  let home: Home;
  let server: (Service & { url: string }) | undefined;
  let env: NodeJS.ProcessEnv;

  before(async function () {
    const programs = await findConfigServer();
    if (!programs) {
      process.stdout.write("    no Java 17 or no Maven here: the Spring Cloud Config Server is not tested\n");
      this.skip();
    }
    folder = mkdtempSync(join(tmpdir(), "flashpay-config-server-"));
    for (const [name, text] of Object.entries(FILES)) {
      mkdirSync(join(folder, "files", name, ".."), { recursive: true });
      writeFileSync(join(folder, "files", name), text);
    }
    home = openHome(join(folder, "home"));
    server = await startConfigServer(home, programs, join(folder, "files"));
    env = {
      SPRING_CONFIG_URI: server.url,
      SPRING_CONFIG_USERNAME: ACCOUNT.user,
      SPRING_CONFIG_PASSWORD: ACCOUNT.password,
      SPRING_CONFIG_FAIL_FAST: "true",
    };
  });
  after(async () => {
    await server?.stop();
    if (folder) rmSync(folder, { recursive: true, force: true });
  });

  const refusalOf = async (changes: NodeJS.ProcessEnv): Promise<string> => {
    try {
      await readApiConfig({ ...env, ...changes });
    } catch (error) {
      if (error instanceof StartRefused) return error.message;
      throw error;
    }
    return "";
  };

  it("gives both programs all their settings, the profile's before the program's before everybody's", async () => {
    const { config } = await readApiConfig(env);
    expect(config).to.deep.equal(
      loadApiConfig({
        ...{ MYSQL_HOST: "db.internal", MYSQL_PORT: "3399", MYSQL_USER: "everybody" },
        ...{ MYSQL_PASSWORD: "pw of the file", MYSQL_DATABASE: "flashpay", JWT_SECRET: SECRET },
        ...{ REDIS_URL: "redis://cache:6379", KAFKA_BROKERS: "a:9092,b:9092", METRICS: "on" },
        ...{ RATE_LIMIT_PER_ADDRESS: "77", EVENT_STREAMS_MAX: "5" },
      }),
    );
    expect((await readWorkerConfig(env)).config).to.include({ MYSQL_HOST: "db.internal", MYSQL_PORT: 3_399 });
  });

  it("is overruled by the environment, and by a file that the environment names", async () => {
    const file = join(folder, "password");
    writeFileSync(file, "pw of the environment\n");
    const own = { MYSQL_PORT: "3307", MYSQL_PASSWORD_FILE: file };
    expect((await readApiConfig({ ...env, ...own })).config).to.include({
      ...{ MYSQL_PORT: 3_307, MYSQL_PASSWORD: "pw of the environment", MYSQL_HOST: "db.internal" },
    });
  });

  it("is asked for the profile of NODE_ENV, or the one that is named, and for a label", async () => {
    const read = async (changes: NodeJS.ProcessEnv) => (await readApiConfig({ ...env, ...changes })).config;
    expect((await read({ NODE_ENV: "test" })).RATE_LIMIT_PER_ADDRESS).to.equal(1_000);
    expect(await read({ NODE_ENV: "test", SPRING_CONFIG_PROFILE: "production" })).to.include({
      ...{ NODE_ENV: "test", RATE_LIMIT_PER_ADDRESS: 77 },
    });
    expect((await read({ NODE_ENV: "test", SPRING_CONFIG_LABEL: "branch" })).EVENT_STREAMS_MAX).to.equal(6);
  });

  it("takes the account in its address, too, and refuses another, which is told without being repeated", async () => {
    const account = `${ACCOUNT.user}:${encodeURIComponent(ACCOUNT.password)}@`;
    const unnamed = { SPRING_CONFIG_USERNAME: "", SPRING_CONFIG_PASSWORD: "" };
    const uri = (credentials: string) => ({
      ...unnamed,
      SPRING_CONFIG_URI: env["SPRING_CONFIG_URI"]!.replace("//", `//${credentials}`),
    });
    expect((await readApiConfig({ ...env, ...uri(account) })).config.MYSQL_HOST).to.equal("db.internal");
    const sentence = await refusalOf(uri("fleet:wrong-hunter2@"));
    expect(sentence).to.include("SPRING_CONFIG_URI").and.to.include("status 401");
    expect(sentence).not.to.include("hunter2");
  });

  it("is named, with its file and key, when what it says is refused, and the value is not", async () => {
    const cipher = await refusalOf({ SPRING_CONFIG_PROFILE: "broken" });
    expect(cipher).to.match(/MYSQL_PASSWORD could not be decrypted .*flashpay-broken\.yml/);
    const number = await refusalOf({ SPRING_CONFIG_PROFILE: "broken", MYSQL_PASSWORD: "pw" });
    expect(number).to.match(/MYSQL_PORT must be a number \(in mysql\.port of .*flashpay-broken\.yml\)/);
    expect(number).not.to.include("hunter2");
  });

  it("is where two running programs have settings from, and no value of it is in a log", async () => {
    const sandbox = await openSandbox();
    try {
      const own = { ...env, LOG_LEVEL: "", JWT_SECRET: "" };
      await Promise.all([sandbox.start("api", { env: own }), sandbox.start("worker", { env: own })]);
      expect(takenBy(sandbox, "api")).to.have.members(["LOG_LEVEL", "JWT_SECRET"]);
      expect(takenBy(sandbox, "worker")).to.have.members(["LOG_LEVEL", "WORKER_BATCH_MAX"]);
      for (const program of ["api", "worker"]) {
        const text = readFileSync(sandbox.home.log(program), "utf8");
        for (const secret of [SECRET, "pw of the file", ACCOUNT.password])
          expect(text).not.to.include(secret);
      }
    } finally {
      await sandbox.close();
    }
  });
});

function takenBy({ home }: Sandbox, program: string): string[] {
  const line = readFileSync(home.log(program), "utf8")
    .split("\n")
    .find((one) => one.includes("settings taken from the config server"));
  return (JSON.parse(line ?? "{}") as { settings: string[] }).settings;
}
