import { expect } from "chai";
import { StartRefused, type Overlay } from "../config.ts";
import type { PropertySource } from "./client.ts";
import { overlayOf } from "./properties.ts";

const WANTED = new Map<string, readonly string[]>([
  ["MYSQL_HOST", []],
  ["KAFKA_BROKERS", []],
  ["METRICS", ["on", "off"]],
  ["TLS_ENDED_BY_PROXY", ["yes", "no"]],
  ["JWT_EXPIRES_IN", []],
]);
const bind = (...sources: PropertySource["source"][]): Overlay =>
  overlayOf(
    sources.map((source, n) => ({ name: `https://git:hunter2@example/${n}.yml`, source })),
    WANTED,
  );
const valueIn = (overlay: Overlay, name: string) => overlay.get(name)?.value;

function refusalOf(source: PropertySource["source"]): string {
  try {
    bind(source);
  } catch (error) {
    if (error instanceof StartRefused) return error.message;
    throw error;
  }
  return "";
}

describe("a key of a config server", () => {
  const forms = ["mysql.host", "mysql-host", "mysqlHost", "mysql_host", "MYSQL_HOST", "Mysql.Host"];
  for (const key of forms.flatMap((form) => [form, `flashpay.${form}`, `FLASHPAY_${form}`])) {
    it(`${key} means MYSQL_HOST`, () => {
      expect(valueIn(bind({ [key]: "db" }), "MYSQL_HOST")).to.equal("db");
    });
  }

  it("that means no setting is somebody else's", () => {
    expect(
      bind({ "server.port": 8080, "spring.mysql.host": "x", "mysql.host.name": "x", host: "x" }).size,
    ).to.equal(0);
  });

  it("is overruled by one of an earlier source, and by one behind flashpay in its own", () => {
    expect(valueIn(bind({ "mysql.host": "a" }, { MYSQL_HOST: "b" }), "MYSQL_HOST")).to.equal("a");
    expect(valueIn(bind({ "mysql.host": "a", "flashpay.mysql.host": "b" }), "MYSQL_HOST")).to.equal("b");
  });

  it("with nothing behind it says nothing", () => {
    expect(valueIn(bind({ "mysql.host": "" }, { "mysql.host": "b" }), "MYSQL_HOST")).to.equal("b");
    expect(bind({ "mysql.host": null }).size).to.equal(0);
  });

  it("of a list makes one text of it, of one source alone", () => {
    const list = { "kafka.brokers[10]": "k:1", "kafka.brokers[2]": "c:1", "kafka.brokers[0]": "a:1" };
    expect(valueIn(bind(list, { "kafka.brokers[1]": "b:1" }), "KAFKA_BROKERS")).to.equal("a:1,c:1,k:1");
  });

  it("whose bare word YAML has made a truth gets its word back", () => {
    const overlay = bind({ metrics: true, tlsEndedByProxy: false, "jwt.expires-in": 900 });
    expect(
      ["METRICS", "TLS_ENDED_BY_PROXY", "JWT_EXPIRES_IN"].map((name) => valueIn(overlay, name)),
    ).to.deep.equal([...["on", "no", "900"]]);
  });

  it("is named with its file, without that file's account", () => {
    expect(bind({ "mysql.host": "db" }).get("MYSQL_HOST")?.source).to.equal(
      "mysql.host of https://example/0.yml",
    );
  });

  const unready = {
    "invalid.mysql.host": "<n/a>",
    "mysql.host": "{cipher}hunter2",
    mysqlHost: "a${hunter2}",
  };
  for (const [key, value] of Object.entries(unready)) {
    it(`that holds no value yet (${key}: ${value.slice(0, 2)}…) is refused, without its value`, () => {
      expect(refusalOf({ [key]: value }))
        .to.match(/MYSQL_HOST .* \(in /)
        .and.not.include("hunter2");
    });
  }
});
