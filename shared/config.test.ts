import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import Joi from "joi";
import { loadConfig, sharedSettings, StartRefused, type SharedSettings } from "./config.ts";

const schema = Joi.object<SharedSettings>(sharedSettings);
const BASE = {
  MYSQL_HOST: "db",
  MYSQL_USER: "flashpay",
  MYSQL_PASSWORD: "hunter2-hunter2",
  MYSQL_DATABASE: "flashpay",
  REDIS_URL: "redis://cache:6379",
  KAFKA_BROKERS: "a:9092",
};
const load = (changes: Record<string, string | undefined> = {}) =>
  loadConfig(schema, { ...BASE, ...changes });

function refusalOf(changes: Record<string, string | undefined>): string {
  try {
    load(changes);
  } catch (error) {
    if (error instanceof StartRefused) return error.message;
    throw error;
  }
  return "";
}

describe("the settings", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "flashpay-config-"));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });
  const fileWith = (text: string): string => {
    const file = join(folder, "secret");
    writeFileSync(file, text);
    return file;
  };

  it("cannot be changed once they are read", () => {
    const config = load();
    expect(() => {
      (config as { MYSQL_HOST: string }).MYSQL_HOST = "elsewhere";
    }).to.throw(TypeError);
  });

  it("hold nothing that no schema names", () => {
    expect(load({ PATH: "/bin", HOME: "/root" })).not.to.have.any.keys("PATH", "HOME");
  });

  it("come as what they are: numbers are numbers", () => {
    expect(load({ MYSQL_PORT: "3307" }).MYSQL_PORT).to.equal(3_307);
  });

  it("name every problem in one sentence", () => {
    const sentence = refusalOf({
      MYSQL_HOST: undefined,
      MYSQL_PORT: "0.5",
      NODE_ENV: "prod",
      KAFKA_BROKERS: "a",
    });
    for (const name of ["MYSQL_HOST", "MYSQL_PORT", "NODE_ENV", "KAFKA_BROKERS"])
      expect(sentence).to.include(name);
    expect(sentence.split("\n")).to.have.lengthOf(1);
  });

  it("say nothing of a secret when they are refused", () => {
    const redis = "redis://:hunter2@cache:6379 ,http://x";
    expect(refusalOf({ MYSQL_HOST: undefined, REDIS_URL: redis })).not.to.include("hunter2");
  });

  for (const name of ["MYSQL_PASSWORD", "MYSQL_USER", "REDIS_URL"]) {
    it(`have no default for ${name}, and take an empty one for none`, () => {
      expect(refusalOf({ [name]: undefined })).to.include(`${name} is required`);
      expect(refusalOf({ [name]: "" })).to.include(`${name} is required`);
    });
  }

  it("can stand in a file, whose last line break is not part of them", () => {
    const read = (text: string) =>
      load({ MYSQL_PASSWORD: undefined, MYSQL_PASSWORD_FILE: fileWith(text) }).MYSQL_PASSWORD;
    expect(["pw", "pw\n", "pw\r\n", "pw\n\n", " pw "].map(read)).to.deep.equal([
      "pw",
      "pw",
      "pw",
      "pw\n",
      " pw ",
    ]);
  });

  it("are refused when they are given outright and in a file", () => {
    const sentence = refusalOf({ MYSQL_PASSWORD_FILE: fileWith("other") });
    expect(sentence).to.include("MYSQL_PASSWORD and MYSQL_PASSWORD_FILE");
    expect(sentence).not.to.match(/hunter2|other/);
  });

  it("name every setting whose file cannot be read, or is empty", () => {
    const sentence = refusalOf({
      ...{ MYSQL_PASSWORD: undefined, MYSQL_PASSWORD_FILE: join(folder, "nowhere") },
      ...{ REDIS_URL: undefined, REDIS_URL_FILE: fileWith("\n") },
    });
    expect(sentence).to.include("MYSQL_PASSWORD_FILE").and.to.include("REDIS_URL_FILE");
  });

  it("speak in clear to MySQL and Kafka unless told otherwise, and send Kafka no password in clear", () => {
    expect(load()).to.include({ MYSQL_TLS: "off", KAFKA_TLS: "off" });
    expect(load({ MYSQL_TLS: "on", KAFKA_TLS: "on" })).to.include({ MYSQL_TLS: "on", KAFKA_TLS: "on" });
    for (const name of ["MYSQL_TLS", "KAFKA_TLS"]) expect(refusalOf({ [name]: "yes" })).to.include(name);
    const account = { KAFKA_SASL_USERNAME: "flashpay", KAFKA_SASL_PASSWORD_FILE: fileWith("pw\n") };
    expect(load(account)).to.include({ KAFKA_SASL_MECHANISM: "scram-sha-512", KAFKA_SASL_PASSWORD: "pw" });
    const plain = { ...account, KAFKA_SASL_MECHANISM: "plain" };
    expect(refusalOf(plain)).to.include("KAFKA_TLS must be on");
    expect(refusalOf({ ...plain, KAFKA_TLS: "off" })).to.include("KAFKA_TLS must be on");
    expect(load({ ...plain, KAFKA_TLS: "on" })).to.include({ KAFKA_SASL_MECHANISM: "plain" });
    expect(refusalOf({ KAFKA_SASL_USERNAME: "flashpay" })).to.include("KAFKA_SASL_PASSWORD is required");
  });

  it("take one address or several, of Redis and of Kafka", () => {
    const config = load({ REDIS_URL: "redis://a:1, rediss://b:2", KAFKA_BROKERS: "a:1 , b:2" });
    expect(config).to.include({ REDIS_URL: "redis://a:1, rediss://b:2", KAFKA_BROKERS: "a:1 , b:2" });
    for (const brokers of ["a", "a:1,", ":1", "a:1;b:2", "http://a:1"])
      expect(refusalOf({ KAFKA_BROKERS: brokers }), brokers).to.include("KAFKA_BROKERS");
  });
});
