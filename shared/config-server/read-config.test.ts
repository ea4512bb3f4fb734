import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { expect } from "chai";
import Joi from "joi";
import { sharedSettings, StartRefused, type SharedSettings } from "../config.ts";
import { createLogRecorder } from "../testing/log.ts";
import { readConfig } from "./read-config.ts";

const schema = Joi.object<SharedSettings>(sharedSettings);
const BASE = {
  ...{ MYSQL_USER: "flashpay", MYSQL_PASSWORD: "pw", MYSQL_DATABASE: "flashpay" },
  ...{ REDIS_URL: "redis://cache:6379", KAFKA_BROKERS: "a:9092" },
};
const QUICK = { SPRING_CONFIG_RETRY_INITIAL_INTERVAL_MS: "1", SPRING_CONFIG_RETRY_MAX_INTERVAL_MS: "2" };
const GOOD = JSON.stringify({
  name: "flashpay",
  propertySources: [{ name: "file.yml", source: { "mysql.host": "db of the server" } }],
});

/** What the server says to each request, in turn; the last of it again and again. */
type Said = { readonly status?: number; readonly text?: string; readonly mute?: true };

describe("a config server", () => {
  const asked: { path: string; authorization: string | undefined }[] = [];
  let script: readonly Said[] = [];
  let server: Server;
  let uri: string;

  before(async () => {
    server = createServer(({ url = "", headers: { authorization } }, res) => {
      const { status = 200, text = GOOD, mute } = script[Math.min(asked.length, script.length - 1)] ?? {};
      asked.push({ path: url, authorization });
      if (!mute) res.writeHead(status, { Location: "/elsewhere" }).end(text);
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    uri = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  after(() => {
    server.close();
    server.closeAllConnections();
  });
  beforeEach(() => {
    asked.length = 0;
    script = [{}];
  });

  const read = (changes: NodeJS.ProcessEnv = {}) =>
    readConfig(schema, { ...BASE, SPRING_CONFIG_URI: uri, ...QUICK, ...changes });
  const refusalOf = async (changes: NodeJS.ProcessEnv): Promise<string> => {
    try {
      await read(changes);
    } catch (error) {
      if (error instanceof StartRefused) return error.message;
      throw error;
    }
    return "";
  };
  const paths = () => asked.map(({ path }) => path);

  it("that nobody names is asked nothing", async () => {
    const { config } = await read({ SPRING_CONFIG_URI: "", MYSQL_HOST: "db" });
    expect([config.MYSQL_HOST, asked.length]).to.deep.equal(["db", 0]);
  });

  it("is asked for flashpay and the profile of NODE_ENV, or what is named instead", async () => {
    await read();
    await read({ NODE_ENV: "development" });
    const named = {
      SPRING_CONFIG_NAME: "pay,shop",
      SPRING_CONFIG_PROFILE: "eu",
      SPRING_CONFIG_LABEL: "feature/x",
    };
    await read({ SPRING_CONFIG_URI: `${uri}/config/`, ...named });
    expect(paths()).to.deep.equal([
      ...["/flashpay/production", "/flashpay/development", "/config/pay%2Cshop/eu/feature(_)x"],
    ]);
  });

  it("hears the account of its address, or that of the settings before it", async () => {
    const inside = uri.replace("//", "//fleet:p%40w@");
    await read({ SPRING_CONFIG_URI: inside });
    await read({ SPRING_CONFIG_URI: inside, SPRING_CONFIG_PASSWORD: "other" });
    await read();
    const basic = (account: string) => `Basic ${Buffer.from(account).toString("base64")}`;
    expect(asked.map(({ authorization }) => authorization)).to.deep.equal([
      ...[basic("fleet:p@w"), basic("fleet:other"), undefined],
    ]);
  });

  it("is asked for one label after the other until it knows one, and for no other thing that it does not know", async () => {
    script = [{ status: 404 }, {}];
    await read({ SPRING_CONFIG_LABEL: "new, main" });
    expect(paths()).to.deep.equal(["/flashpay/production/new", "/flashpay/production/main"]);
    script = [{ status: 404 }];
    const fast = { SPRING_CONFIG_FAIL_FAST: "true" };
    expect(await refusalOf({ ...fast, SPRING_CONFIG_LABEL: "new" })).to.include("SPRING_CONFIG_LABEL");
    expect(await refusalOf(fast)).to.include("status 404");
  });

  it("that is away leaves it to the next one", async () => {
    script = [{ status: 503 }, {}];
    expect((await read({ SPRING_CONFIG_URI: `${uri}, ${uri}` })).config.MYSQL_HOST).to.equal(
      "db of the server",
    );
  });

  it("that must be read is asked again until it answers", async () => {
    script = [{ status: 503 }, { status: 500 }, {}];
    const { config } = await read({ SPRING_CONFIG_FAIL_FAST: "true" });
    expect([config.MYSQL_HOST, asked.length]).to.deep.equal(["db of the server", 3]);
  });

  it("that must be read and never answers is a refusal of one sentence after the last attempt", async () => {
    script = [{ status: 503 }];
    const sentence = await refusalOf({ SPRING_CONFIG_FAIL_FAST: "true", MYSQL_HOST: "db" });
    expect(sentence).to.equal(`SPRING_CONFIG_URI: ${uri} gave no settings (status 503), asked 6 time(s).`);
    expect(asked.length).to.equal(6);
  });

  it("that says no, or nonsense, is not asked again", async () => {
    const fast = { SPRING_CONFIG_FAIL_FAST: "true" };
    const says: [Said, string][] = [
      [{ status: 401 }, "status 401"],
      [{ status: 302 }, "status 302"],
      [{ text: "<html>" }, "none of Spring Cloud Config"],
      [{ text: '{"propertySources":[{"name":1}]}' }, "none of Spring Cloud Config"],
    ];
    for (const [said, wanted] of says) {
      asked.length = 0;
      script = [said];
      expect(await refusalOf(fast)).to.include(wanted);
      expect(asked.length, wanted).to.equal(1);
    }
  });

  it("has a time for its answer, and a size", async () => {
    script = [{ mute: true }];
    const timed = { SPRING_CONFIG_FAIL_FAST: "true", SPRING_CONFIG_RETRY_MAX_ATTEMPTS: "1" };
    expect(await refusalOf({ ...timed, SPRING_CONFIG_REQUEST_TIMEOUT_MS: "50" })).to.match(/time/i);
    script = [{ text: "x".repeat(1_100_000) }];
    asked.length = 0;
    expect(await refusalOf(timed)).to.include("1048576 bytes");
  });

  it("that may be missed is asked once, then left out with a line in the log", async () => {
    script = [{ status: 503 }];
    const { config, tell } = await read({ MYSQL_HOST: "db" });
    const log = createLogRecorder();
    tell(log);
    expect([config.MYSQL_HOST, asked.length]).to.deep.equal(["db", 1]);
    expect(JSON.stringify(log.lines)).to.include("going on with the environment alone");
  });

  it("that was missed is named when a setting is missing for it", async () => {
    script = [{ status: 503 }];
    expect(await refusalOf({})).to.match(/MYSQL_HOST is required.*SPRING_CONFIG_URI: .*status 503/);
  });

  it("is told in the log by the names of what it gave", async () => {
    const log = createLogRecorder();
    (await read()).tell(log);
    expect(JSON.stringify(log.lines)).to.include('["MYSQL_HOST"]').and.not.include("db of the server");
  });

  it("never says what NODE_ENV is", async () => {
    script = [{ text: GOOD.replace("mysql.host", "node.env") }];
    expect((await read({ MYSQL_HOST: "db" })).config.NODE_ENV).to.equal("production");
  });

  it("has settings that are refused by name, without their values", async () => {
    const sentence = await refusalOf({
      ...{ SPRING_CONFIG_URI: "cfg hunter2:8888", SPRING_CONFIG_FAIL_FAST: "perhaps hunter2" },
    });
    expect(sentence).to.include("SPRING_CONFIG_URI").and.include("SPRING_CONFIG_FAIL_FAST");
    expect(sentence).not.to.include("hunter2");
  });
});
