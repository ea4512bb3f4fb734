import { expect } from "chai";
import { StartRefused } from "../shared/config.ts";
import { loadApiConfig, type ApiConfig } from "./config.ts";

const BASE = {
  MYSQL_HOST: "db",
  MYSQL_USER: "flashpay",
  MYSQL_PASSWORD: "pw",
  MYSQL_DATABASE: "flashpay",
  REDIS_URL: "redis://cache:6379",
  KAFKA_BROKERS: "a:9092",
  JWT_SECRET: "b8f1d3a5c79e2460b8f1d3a5c79e2460-Zx",
};

const load = (changes: Record<string, string>): ApiConfig => loadApiConfig({ ...BASE, ...changes });

function refusalOf(changes: Record<string, string>): string {
  try {
    load(changes);
  } catch (error) {
    if (error instanceof StartRefused) return error.message;
    throw error;
  }
  return "";
}

describe("TRUST_PROXY", () => {
  const taken: [string, number | string[]][] = [
    ["0", 0],
    ["10", 10],
    ["10.0.0.5", ["10.0.0.5"]],
    ["10.0.0.5, 10.1.0.0/16,fd00::/8,::1", ["10.0.0.5", "10.1.0.0/16", "fd00::/8", "::1"]],
  ];
  for (const [text, value] of taken)
    it(`may be ${text}`, () => {
      expect(load({ TRUST_PROXY: text }).TRUST_PROXY).to.deep.equal(value);
    });

  const refused = ["11", "-1", "1.5", "true", "yes", "*", "all", "proxy.example", "loopback", "10.0.0"];
  refused.push("10.0.0.256", "10.0.0.0/33", "10.0.0.0/", "fd00::/129", "10.0.0.5,", ",", "10.0.0.5;10.0.0.6");
  refused.push("fe80::1%eth0", "10.0.0.0/255.0.0.0", Array(101).fill("10.0.0.5").join());
  for (const text of refused)
    it(`is refused as ${text.slice(0, 30)}`, () => {
      expect(refusalOf({ TRUST_PROXY: text })).to.match(/^Settings refused: TRUST_PROXY must be a count/);
    });

  it("does not trust everybody", () => {
    for (const everybody of ["0.0.0.0/0", "10.0.0.5,::/0", "0.0.0.0/00"])
      expect(refusalOf({ TRUST_PROXY: everybody }), everybody).to.contain("network of everybody");
  });
});

describe("CORS_ORIGINS", () => {
  it("names none by default", () => {
    expect(load({})).not.to.have.property("CORS_ORIGINS");
  });

  const good = "https://shop.example, https://admin.example:8443,http://localhost:5173,http://[::1]:8080";
  it("is a list of bare origins, in production over https or of this machine", () => {
    expect(load({ CORS_ORIGINS: good }).CORS_ORIGINS).to.deep.equal(good.split(/, ?/));
  });

  const refused = [
    "*",
    "null",
    "shop.example",
    "https://shop.example/",
    "https://shop.example/path",
    "https://",
  ];
  refused.push(
    "https://*.shop.example/",
    "https://SHOP.example",
    "https://shop.example:443",
    "ftp://shop.example",
  );
  refused.push("https://user@shop.example", "https://shop.example,", "https://a.example https://b.example");
  refused.push("capacitor://localhost", Array(101).fill("https://shop.example").join());
  for (const text of refused)
    it(`is refused as ${text.slice(0, 40)}`, () => {
      for (const NODE_ENV of ["production", "development"])
        expect(refusalOf({ CORS_ORIGINS: text, NODE_ENV })).to.contain("CORS_ORIGINS must be");
    });

  it("names http of other machines outside of production alone", () => {
    for (const origin of [
      "http://shop.example",
      "http://localhost.evil.example",
      "http://127.0.0.1.nip.example",
    ]) {
      const both = `https://shop.example,${origin}`;
      expect(refusalOf({ CORS_ORIGINS: both }), origin).to.equal(
        "Settings refused: CORS_ORIGINS may name http:// in production for localhost alone.",
      );
      expect(load({ CORS_ORIGINS: both, NODE_ENV: "test" }).CORS_ORIGINS).to.include(origin);
    }
  });
});

describe("production", () => {
  for (const HOST of [
    "0.0.0.0",
    "::",
    "10.0.0.7",
    "api.internal",
    "localhost.example",
    "127.0.0.1.example",
  ]) {
    it(`is refused on ${HOST} until it is said that TLS ends in front`, () => {
      for (const unsaid of [{}, { TLS_ENDED_BY_PROXY: "no" }, { TLS_ENDED_BY_PROXY: "", TRUST_PROXY: "1" }])
        expect(refusalOf({ HOST, ...unsaid })).to.match(
          /^Settings refused: TLS_ENDED_BY_PROXY must be yes in production [^;]*\.$/,
        );
      expect(load({ HOST, TLS_ENDED_BY_PROXY: "yes" }).HOST).to.equal(HOST);
      expect(load({ HOST, NODE_ENV: "development" }).TLS_ENDED_BY_PROXY).to.equal("no");
    });
  }

  for (const HOST of ["127.0.0.1", "127.0.1.1", "localhost", "::1"])
    it(`needs to say nothing on ${HOST}`, () => {
      expect(load({ HOST }).TLS_ENDED_BY_PROXY).to.equal("no");
    });

  it("knows yes and no alone", () => {
    for (const said of ["on", "true", "maybe"])
      expect(refusalOf({ TLS_ENDED_BY_PROXY: said }), said).to.contain("TLS_ENDED_BY_PROXY must be one of");
  });

  it("has no token that lives longer than a day", () => {
    expect(load({ JWT_EXPIRES_IN: "24h" }).JWT_EXPIRES_IN).to.equal(86_400);
    for (const life of ["25h", "86401", "1441m"]) {
      expect(refusalOf({ JWT_EXPIRES_IN: life }), life).to.equal(
        "Settings refused: JWT_EXPIRES_IN may not be above 24h in production.",
      );
      expect(load({ JWT_EXPIRES_IN: life, NODE_ENV: "test" }).JWT_EXPIRES_IN).to.be.above(86_400);
    }
  });
});
