import { readFileSync } from "node:fs";
import { expect } from "chai";
import { successOf } from "../support/bodies.ts";
import { createHttpClient } from "../support/http-client.ts";
import { broken } from "../support/sandbox.ts";
import { addresses } from "./bad-input/addresses.ts";
import { bodies } from "./bad-input/bodies.ts";
import { edges } from "./bad-input/edges.ts";
import { faults } from "./bad-input/faults.ts";
import { fields } from "./bad-input/fields.ts";
import { http } from "./bad-input/http.ts";
import { keys } from "./bad-input/keys.ts";
import { limits } from "./bad-input/limits.ts";
import { logInTimes } from "./bad-input/log-in-times.ts";
import { openShop, type Shop } from "./bad-input/shop.ts";
import { slowClients } from "./bad-input/slow-clients.ts";
import { texts, titles } from "./bad-input/texts.ts";
import { tokens } from "./bad-input/tokens.ts";

const REFUSED_WITHIN_MS = 200;

describe("bad input", function () {
  this.timeout(60_000);
  const shop = {} as Shop;

  before(async () => {
    Object.assign(shop, await openShop());
  });
  after(() => (shop as Partial<Shop>).sandbox?.close());
  const slow = slowClients(shop);

  describe("changes nothing:", () => {
    let state: string;
    beforeEach(async () => {
      state = await shop.stateNow();
    });
    afterEach(async () => {
      expect(await shop.stateNow()).to.equal(state);
    });

    tokens(shop);
    fields(shop);
    keys(shop);
    bodies(shop);
    addresses(shop);
    http(shop);
    texts(shop);
    faults(shop);
  });

  describe("that is on the edge is judged exactly:", () => {
    edges(shop);
    titles(shop);
    logInTimes(shop);
  });
  limits(shop);
  describe("comes slowly:", () => {
    slow.areCutOff();
  });

  it("finds nothing open in production that is not part of the product (45)", async () => {
    const env = { NODE_ENV: "production", API_DOCS: "", METRICS: "" };
    const production = await shop.sandbox.start("api", { name: "api-production", env });
    const client = createHttpClient(production.url);
    for (const path of ["/api-docs", "/api-docs/", "/api-docs.json", "/metrics", "/.env", "/.git/config"])
      shop.refused(await client.get(path), 404, "not_found");
    expect((await client.get("/healthz")).status).to.equal(200);
    await production.stop();
    client.close();
  });

  describe("in the end", () => {
    it("the log is one JSON object a line, without a secret, a stack, or a bug that nobody planted", () => {
      const lines = readFileSync(shop.sandbox.home.log("api"), "utf8").trimEnd().split("\n");
      expect(lines.length).to.be.greaterThan(500);
      for (const line of lines) {
        const { msg, err } = JSON.parse(line) as { msg: string; err?: { message?: string } };
        if (err?.message?.includes("doesn't exist")) continue;
        expect(msg, line).not.to.match(/bug/);
      }
      const text = lines.join("\n");
      const { buyer, sandbox } = shop;
      const planted = [buyer.token, sandbox.host.token, sandbox.jwtSecret, "correct horse", "seeded horse"];
      for (const secret of planted) expect(text.includes(secret), secret.slice(0, 12)).to.equal(false);
    });

    it("nineteen of twenty refusals came within 200 ms, but those of passwords", () => {
      const times = shop.refusalTimes.toSorted((a, b) => a - b);
      const p95 = times[Math.floor(times.length * 0.95)] ?? Infinity;
      process.stdout.write(`        ${times.length} refusals, p95 ${p95.toFixed(1)} ms\n`);
      expect(times.length).to.be.greaterThan(400);
      expect(p95).to.be.at.most(REFUSED_WITHIN_MS);
    });

    it("stock, rows and log agree", async () => {
      await shop.sandbox.start("worker");
      expect(broken(await shop.sandbox.verify())).to.deep.equal([]);
      expect(successOf(await shop.http.get("/healthz")).success).to.equal(true);
    });
  });
});
