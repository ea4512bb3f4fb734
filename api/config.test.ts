import { randomBytes } from "node:crypto";
import { expect } from "chai";
import { StartRefused } from "../shared/config.ts";
import { apiSettings, loadApiConfig } from "./config.ts";

const STRONG = "b8f1d3a5c79e2460b8f1d3a5c79e2460-Zx";
const BASE = {
  MYSQL_HOST: "db",
  MYSQL_USER: "flashpay",
  MYSQL_PASSWORD: "pw",
  MYSQL_DATABASE: "flashpay",
  REDIS_URL: "redis://cache:6379",
  KAFKA_BROKERS: "a:9092,b:9092",
  JWT_SECRET: STRONG,
};

function refusalOf(changes: Record<string, string | undefined>): string {
  try {
    loadApiConfig({ ...BASE, ...changes });
  } catch (error) {
    if (error instanceof StartRefused) return error.message;
    throw error;
  }
  return "";
}

describe("the API's settings", () => {
  it("are complete with what has no default", () => {
    const config = loadApiConfig(BASE);
    expect(config).to.include({
      NODE_ENV: "production",
      PORT: 3_000,
      HOST: "127.0.0.1",
      JWT_EXPIRES_IN: 1_800,
    });
    expect(Object.isFrozen(config)).to.equal(true);
  });

  for (const name of Object.keys(BASE)) {
    it(`have no default for ${name}`, () => {
      expect(refusalOf({ [name]: undefined })).to.include(name);
      expect(refusalOf({ [name]: "" })).to.include(name);
    });
  }

  const weak = [
    "secret",
    "changeme",
    "",
    "x".repeat(31),
    "x".repeat(64),
    "secret".repeat(8),
    "changeme-changeme-changeme-changeme",
  ];
  weak.push(
    "your-256-bit-secret-your-256-bit-secret",
    "SECRETSECRETSECRETSECRETSECRETSECRET",
    "abcabcabcabcabcabcabcabcabcabcabcabc",
  );
  weak.push(
    "a-string-secret-at-least-256-bits-long",
    "my-super-secret-jwt-key-change-in-production",
    "0123456789abcdef0123456789abcdef",
    "0123456789abcdefghijklmnopqrstuvwxyz",
    "zyxwvutsrqponmlkjihgfedcba9876543210",
    "this-is-a-very-long-secret-key-for-jwt-tokens-1234567890",
    "flashpay-development-secret-do-not-use-in-production!",
    "8f3kQz01pLm4Vt7x8f3kQz01pLm4Vt7x",
    "8f3kQz01pLm4Vt7x8f3kQz01pLm4Vt7x8f3kQz01",
    "please-change-me-8f3kQz01pLm4Vt7x",
  );
  for (const secret of weak) {
    it(`refuse the secret "${secret.slice(0, 20)}" of ${secret.length} characters, without repeating it`, () => {
      const sentence = refusalOf({ JWT_SECRET: secret });
      expect(sentence).to.include("JWT_SECRET");
      if (secret.length > 8) expect(sentence).not.to.include(secret);
    });
  }

  it("take random bytes, however they are written, and words in front of enough of them", () => {
    for (let n = 0; n < 200; n += 1)
      for (const secret of [
        randomBytes(48).toString("base64"),
        randomBytes(48).toString("base64url"),
        randomBytes(32).toString("hex"),
        `flashpay-jwt-secret-${randomBytes(32).toString("hex")}`,
      ])
        expect(refusalOf({ JWT_SECRET: secret }), secret).to.equal("");
  });

  it("take an earlier secret, as strong as the present one and not the same", () => {
    const earlier = "c9e2f4b6d80f3571c9e2f4b6d80f3571-Yw";
    expect(loadApiConfig({ ...BASE, JWT_SECRET_PREVIOUS: earlier }).JWT_SECRET_PREVIOUS).to.equal(earlier);
    expect(loadApiConfig(BASE)).not.to.have.property("JWT_SECRET_PREVIOUS");
    for (const wrong of [STRONG, "short", "secret".repeat(8)])
      expect(refusalOf({ JWT_SECRET_PREVIOUS: wrong }), wrong).to.include("JWT_SECRET_PREVIOUS");
  });

  it("repeat no value of a setting that they refuse", () => {
    const planted = "pl4nted hunter2 <value>";
    for (const name of Object.keys((apiSettings.describe() as { keys: object }).keys))
      expect(refusalOf({ [name]: planted }), name).not.to.include("hunter2");
  });

  it("tell every problem at once", () => {
    const sentence = refusalOf({
      PORT: "70000",
      JWT_SECRET: "short",
      REDIS_URL: "http://x",
      MYSQL_HOST: undefined,
    });
    for (const name of ["PORT", "JWT_SECRET", "REDIS_URL", "MYSQL_HOST"]) expect(sentence).to.include(name);
  });

  const lifetimes: [string, number][] = [
    ["900", 900],
    ["900s", 900],
    ["15m", 900],
    ["2h", 7_200],
  ];
  for (const [text, seconds] of lifetimes) {
    it(`read ${text} as ${seconds} seconds of a token's life`, () => {
      expect(loadApiConfig({ ...BASE, JWT_EXPIRES_IN: text }).JWT_EXPIRES_IN).to.equal(seconds);
    });
  }
  for (const text of ["0", "-5", "1d", "soon", "1.5h", "15 m"]) {
    it(`refuse ${text} as a token's life`, () => {
      expect(refusalOf({ JWT_EXPIRES_IN: text })).to.include("JWT_EXPIRES_IN");
    });
  }

  it("close documents and metrics in production, open them elsewhere, and let either be said", () => {
    expect(loadApiConfig(BASE)).to.include({ API_DOCS: "off", METRICS: "off" });
    expect(loadApiConfig({ ...BASE, NODE_ENV: "development" })).to.include({ API_DOCS: "on", METRICS: "on" });
    expect(loadApiConfig({ ...BASE, METRICS: "on" })).to.include({ API_DOCS: "off", METRICS: "on" });
  });

  it("trust no proxy unless told to", () => {
    expect(loadApiConfig(BASE).TRUST_PROXY).to.equal(0);
  });
});
