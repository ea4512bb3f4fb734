import { appendFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import type { Sequelize } from "sequelize";
import { createConsistency, type CheckOptions, type Consistency } from "../shared/domain/consistency.ts";
import { createBacklogWatch } from "../shared/kafka/backlog-watch.ts";
import { createSequelize } from "../shared/mysql/connection.ts";
import { createInvariantReader } from "../shared/mysql/invariant-reader.ts";
import { keys } from "../shared/redis/keys.ts";
import { packOrder } from "../shared/redis/packed-order.ts";
import { createStockAudit } from "../shared/redis/stock-audit.ts";
import { sampleOrder } from "../shared/testing/samples.ts";
import { checkHistory } from "../tools/verify/history-check.ts";
import { CannotVerify, readOptions } from "../tools/verify/options.ts";
import type { Call } from "../tools/verify/client-history.ts";
import { successOf } from "./support/bodies.ts";
import { createHistory } from "./support/history.ts";
import type { HttpClient } from "./support/http-client.ts";
import { seedLedger } from "./support/ledger.ts";
import { runScript } from "./support/program-run.ts";
import { broken, openSandbox, type Sandbox, type Verdict } from "./support/sandbox.ts";

const PRODUCTS = 30;
const ORDERS_OF_PRODUCT = 3;
const STATEMENT_TIMEOUT_MS = 10_000;
const UNDECIDED = "019b77a9-ffff-7000-8000-000000000001";

interface Violation {
  readonly name: string;
  readonly invariant: string;
  readonly rule: RegExp;
  /** With `:p` for the product and `:o` for one of its orders. */
  readonly sql?: readonly string[];
  readonly redis?: (sandbox: Sandbox, productId: number) => Promise<unknown>;
  /** What the row that names it must carry. */
  readonly row: (productId: number, orderId: string) => object;
  readonly options?: CheckOptions;
  /** Other rules that the same wound breaks. */
  readonly also?: readonly string[];
}

const reserve = (acceptedMsAgo: number) => (sandbox: Sandbox, productId: number) =>
  sandbox.redis.hset(
    keys.reservations(productId),
    UNDECIDED,
    packOrder(sampleOrder({ acceptedAt: Date.now() - acceptedMsAgo })),
  );
const product = (productId: number) => ({ productId });
const order = (_: number, orderId: string) => ({ orderId });

const VIOLATIONS: readonly Violation[] = [
  {
    name: "sold that differs from the orders' units",
    ...{ invariant: "I2", rule: /^per product: sold/, row: product, also: ["I3"] },
    sql: ["UPDATE products SET sold = sold + 1 WHERE id = :p"],
  },
  {
    name: "more sold than there was",
    ...{ invariant: "I2", rule: /at most stock/, row: product, also: ["I3", "I3"] },
    sql: ["UPDATE products SET stock = 2 WHERE id = :p"],
  },
  {
    name: "a counter below zero",
    ...{ invariant: "I3", rule: /^per product: 0 ≤ left/, row: product, also: ["I3"] },
    redis: ({ redis }, p) => redis.hset(keys.stock(p), "left", -1),
  },
  {
    name: "a counter that lost a unit",
    ...{ invariant: "I3", rule: /^per product, drained/, row: product },
    redis: ({ redis }, p) => redis.hincrby(keys.stock(p), "left", -1),
  },
  {
    name: "a reservation that nothing will end",
    ...{ invariant: "I3", rule: /^per product, drained/, row: product },
    redis: reserve(60_000),
  },
  {
    name: "counters that are missing",
    ...{ invariant: "I3", rule: /counters of every sale/, row: product },
    redis: ({ redis }, p) => redis.del(keys.stock(p)),
  },
  {
    name: "an order that never reached the log",
    ...{ invariant: "I4", rule: /waits for the log/, row: () => ({ orderId: UNDECIDED }), also: ["I3"] },
    redis: async (sandbox, p) => {
      await reserve(60_000)(sandbox, p);
      await sandbox.redis.zadd(keys.unpublished(p), Date.now() - 60_000, UNDECIDED);
    },
  },
  {
    name: "a SUCCESS without a settlement",
    ...{ invariant: "I5", rule: /exactly one settlement/, row: order, also: ["I5"] },
    sql: ["DELETE FROM settlements WHERE order_id = :o"],
  },
  {
    name: "a settlement of another amount",
    ...{ invariant: "I5", rule: /exactly one settlement/, row: order, also: ["I5"] },
    sql: ["UPDATE settlements SET amount = amount - 1 WHERE order_id = :o"],
  },
  {
    name: "a settlement of somebody else",
    ...{ invariant: "I5", rule: /exactly one settlement/, row: order },
    sql: ["UPDATE settlements SET user_id = 1001 + (user_id - 1000) % 30 WHERE order_id = :o"],
  },
  {
    name: "an order that is settled twice",
    ...{ invariant: "I5", rule: /exactly one settlement/, row: order, also: ["I5"] },
    sql: [
      `INSERT INTO settlements (order_id, user_id, product_id, type, amount, currency, settled_at)
       SELECT order_id, user_id, product_id, type, amount, currency, settled_at FROM settlements WHERE order_id = :o`,
    ],
  },
  {
    name: "a settlement of an order that failed",
    ...{ invariant: "I5", rule: /exactly one settlement/, row: order, also: ["I2", "I9"] },
    sql: ["UPDATE orders SET status = 'FAILED', fail_reason = 'price_mismatch' WHERE id = :o"],
  },
  {
    name: "a price that is not the product's",
    ...{ invariant: "I5", rule: /at the product's own price/, row: order, also: ["I5", "I5"] },
    sql: [
      "UPDATE orders SET unit_price = 1 WHERE id = :o",
      "UPDATE settlements SET amount = 2 WHERE order_id = :o",
    ],
  },
  {
    name: "a running total of a product that is off",
    ...{ invariant: "I5", rule: /totals of products/, row: product },
    sql: ["UPDATE settlement_totals SET amount = amount + 1 WHERE scope = 'product' AND scope_id = :p"],
  },
  {
    name: "a running total that is missing",
    ...{ invariant: "I5", rule: /totals of products/, row: product },
    sql: ["DELETE FROM settlement_totals WHERE scope = 'product' AND scope_id = :p"],
  },
  {
    name: "a user above the limit",
    ...{ invariant: "I6", rule: /limit/, row: product },
    sql: [
      "UPDATE products SET per_user_limit = 1 WHERE id = :p",
      "UPDATE orders SET user_id = (SELECT u FROM (SELECT MIN(user_id) u FROM orders WHERE product_id = :p) x) WHERE product_id = :p",
      "UPDATE settlements SET user_id = (SELECT MIN(user_id) FROM orders WHERE product_id = :p) WHERE product_id = :p",
    ],
  },
  {
    name: "an order from before the sale",
    ...{ invariant: "I7", rule: /while its sale was open/, row: order },
    sql: ["UPDATE orders SET accepted_at = '2025-12-31 23:59:59.999' WHERE id = :o"],
  },
  {
    name: "an order of the sale's last instant, which is no longer the sale's",
    ...{ invariant: "I7", rule: /while its sale was open/, row: order },
    sql: ["UPDATE orders SET accepted_at = '2099-01-01' WHERE id = :o"],
  },
  {
    name: "a history that is missing",
    ...{ invariant: "I9", rule: /path of the state machine/, row: order },
    sql: ["DELETE FROM order_history WHERE order_id = :o"],
  },
  {
    name: "a history that ends elsewhere",
    ...{ invariant: "I9", rule: /path of the state machine/, row: order },
    sql: ["UPDATE order_history SET to_status = 'FAILED' WHERE order_id = :o"],
  },
  {
    name: "a terminal status that changed",
    ...{ invariant: "I9", rule: /path of the state machine/, row: order },
    sql: [
      "UPDATE order_history SET to_status = 'FAILED' WHERE order_id = :o",
      "INSERT INTO order_history (order_id, from_status, to_status, changed_at) VALUES (:o, 'FAILED', 'SUCCESS', NOW())",
    ],
  },
  {
    name: "an accepted order that failed for want of units",
    ...{ invariant: "I12", rule: /accepted and then failed/, row: order, also: ["I2", "I5", "I9"] },
    sql: ["UPDATE orders SET status = 'FAILED', fail_reason = 'sold_out' WHERE id = :o"],
  },
];

describe("verify", function () {
  this.timeout(60_000);
  let sandbox: Sandbox;
  let sequelize: Sequelize;
  let consistency: Consistency;

  before(async () => {
    sandbox = await openSandbox();
    const { mysql, redis, admin } = sandbox;
    await seedLedger(mysql, redis, {
      products: PRODUCTS,
      users: PRODUCTS,
      orders: PRODUCTS * ORDERS_OF_PRODUCT,
    });
    sequelize = createSequelize(
      {
        ...{ MYSQL_HOST: mysql.host, MYSQL_PORT: mysql.port, MYSQL_USER: mysql.user },
        ...{ MYSQL_PASSWORD: mysql.password, MYSQL_DATABASE: mysql.database, MYSQL_POOL_MAX: 2 },
      },
      STATEMENT_TIMEOUT_MS,
    );
    const elapsed = () => performance.now();
    consistency = createConsistency({
      database: createInvariantReader({ sequelize, elapsed }),
      stock: createStockAudit(redis),
      backlog: createBacklogWatch(admin),
      elapsed,
    });
  });
  after(async () => {
    await (sequelize as Sequelize | undefined)?.close();
    await (sandbox as Sandbox | undefined)?.close();
  });

  const check = async (options: CheckOptions): Promise<Verdict> => {
    const findings = [];
    for await (const finding of consistency.check(options)) findings.push(finding);
    return { ok: findings.every(({ state }) => state !== "broken"), findings };
  };
  const ordersOf = (productId: number) => sandbox.rowsOf(productId);
  const tool = (...flags: string[]) =>
    runScript("tools/verify.ts", ["--wait", "0", ...flags], sandbox.settings());
  const write = (name: string, calls: readonly object[]): string => {
    const file = join(sandbox.home.path, name);
    writeFileSync(file, calls.map((call) => `${JSON.stringify(call)}\n`).join(""));
    return file;
  };

  describe("on a ledger that breaks no rule", () => {
    it("finds every rule kept, and ends with 0", async () => {
      const { code, stdout } = await tool();
      expect(code, stdout).to.equal(0);
      expect(stdout).to.match(/verify: all 16 checks hold\n$/);
    });

    it("says in JSON what was looked at, and for how long", async () => {
      const { stdout } = await tool("--json");
      const { ok, findings } = JSON.parse(stdout) as Verdict;
      expect(ok).to.equal(true);
      const settled = findings.find(({ rule }) => rule.startsWith("exactly one settlement"));
      expect(settled).to.deep.include({ checked: PRODUCTS * ORDERS_OF_PRODUCT, offenders: 0, state: "ok" });
      expect(settled?.ms).to.be.a("number");
    });

    it("waits for an order under way, unless nothing may be under way any more", async () => {
      await reserve(0)(sandbox, PRODUCTS);
      try {
        const open = await check({ productId: PRODUCTS });
        expect(broken(open)).to.deep.equal([]);
        expect(
          open.findings.filter(({ state }) => state === "unsettled").map(({ invariant }) => invariant),
        ).to.deep.equal(["I3"]);
        const drained = await check({ productId: PRODUCTS, drained: true });
        expect(drained.findings.filter(({ state }) => state === "broken")).to.have.lengthOf(1);
        expect((await tool("--product", String(PRODUCTS))).stdout).to.include(
          "wait for orders that are under way",
        );
      } finally {
        await sandbox.redis.del(keys.reservations(PRODUCTS));
      }
    });
  });

  describe("with what clients heard", () => {
    const call = async (productId: number, more: Partial<Call> = {}): Promise<Call> => {
      const [row] = await ordersOf(productId);
      return { kind: "ok", userId: row!.user_id, productId, code: "accepted", orderId: row!.id, ...more };
    };
    const judge = async (name: string, calls: readonly object[]) => {
      const file = write(name, calls);
      const found = await checkHistory({ sequelize, file, options: {}, onProgress: () => undefined });
      return found.flatMap(({ invariant, rows }) => rows.map((row) => ({ invariant, ...row })));
    };
    const all = async (productId: number): Promise<Call[]> =>
      (await ordersOf(productId)).map(({ id, user_id }) => ({
        ...{ kind: "ok", userId: user_id, productId, code: "accepted", orderId: id },
      }));

    it("keeps quiet when all fits: a promise kept, an unknown outcome that became an order, a refusal that did not", async () => {
      const [first, second, third] = await all(29);
      const unknown = { ...second!, kind: "info", code: "no answer", orderId: undefined };
      const refused = { ...first!, kind: "fail", code: "limit_exceeded", orderId: undefined };
      expect(await judge("fits", [first!, unknown, third!, refused])).to.deep.equal([]);
    });

    it("names a promised order that is nowhere (I1)", async () => {
      const lost = await call(29, { orderId: UNDECIDED });
      const rows = await judge("lost", [...(await all(29)), lost]);
      expect(rows).to.have.lengthOf(1);
      expect(rows[0]).to.deep.include({
        invariant: "I1",
        orderId: UNDECIDED,
        says: "heard 202 and is nowhere",
      });
    });

    it("names a refusal that succeeded, and an order that nobody asked for (I8)", async () => {
      const [first, second, third] = await all(29);
      const refused = { ...first!, kind: "fail", code: "sold_out", orderId: undefined };
      const rows = await judge("refused", [refused, third!]);
      expect(rows).to.have.lengthOf(2);
      expect(rows.map((row) => (row as { orderId?: string }).orderId)).to.have.members([
        first!.orderId,
        second!.orderId,
      ]);
      expect(JSON.stringify(rows)).to.include("heard only sold_out").and.include("nobody asked for it");
    });

    it("takes one unknown outcome for one order at most, and calls under one key for one attempt (I8)", async () => {
      const [first, ...rest] = await all(29);
      const open = {
        ...first!,
        kind: "info",
        code: "no answer",
        orderId: undefined,
        key: "a-key_16_letters",
      };
      expect(await judge("once", [open, open, ...rest])).to.deep.equal([]);
      const told = { ...first!, orderId: UNDECIDED, key: "a-key_16_letters" };
      const rows = await judge("twice", [open, told, ...rest]);
      expect(rows.map(({ invariant }) => invariant)).to.deep.equal(["I1", "I8"]);
    });

    it("reads what a client wrote while it went on", async () => {
      const history = createHistory();
      const [row] = await ordersOf(28);
      await history.record(
        row!.user_id,
        28,
        Promise.resolve(answer(202, { success: true, data: { orderId: row!.id } })),
      );
      const file = write("written", history.calls);
      const { stdout } = await tool("--json", "--history", file);
      const findings = (JSON.parse(stdout) as Verdict).findings.filter(({ invariant }) =>
        ["I1", "I8"].includes(invariant),
      );
      expect(findings.map(({ checked, offenders }) => [checked, offenders])).to.deep.equal([
        [1, 0],
        [ORDERS_OF_PRODUCT, 2],
      ]);
    });

    it("refuses a line that is no call, and a file that is not there, with 2", async () => {
      const file = write("torn", [await call(29)]);
      appendFileSync(file, '{"kind":"ok","userId"');
      const torn = await tool("--history", file);
      expect([torn.code, torn.stdout]).to.deep.equal([2, ""]);
      expect(torn.stderr).to.match(/^--history: line 2 of .* is not a call\.\n$/);
      expect((await tool("--history", "/nowhere")).code).to.equal(2);
    });
  });

  describe("that cannot check", () => {
    it("says in one sentence which server is away, and ends with 2", async () => {
      const { code, stderr } = await runScript("tools/verify.ts", [], {
        ...sandbox.settings(),
        REDIS_URL: "redis://127.0.0.1:1",
      });
      expect(code).to.equal(2);
      expect(stderr).to.match(/^REDIS_URL: Redis cannot be reached \(.*\)\.\n$/);
    });

    it("says what of the command line is wrong, and ends with 2", async () => {
      for (const flags of [
        ["--prodcut", "1"],
        ["--product", "0"],
        ["--wait", "soon"],
      ])
        expect(() => readOptions(flags)).to.throw(CannotVerify, /See --help\.$/);
      const { code, stderr } = await tool("--wait", "soon");
      expect([code, stderr]).to.deep.equal([2, "--wait must be a whole number of at least 0. See --help.\n"]);
    });
  });

  describe("over HTTP", () => {
    let http: HttpClient;
    before(async () => {
      http = sandbox.client(await sandbox.start("api"));
    });
    const path = "/api/admin/consistency";
    const ask = async (productId: number) => {
      const answered = await http.get(`${path}?productId=${productId}`, sandbox.host.token);
      expect(answered.status, answered.text).to.equal(200);
      return successOf(answered).data as {
        consistent: boolean;
        checks: { invariant: string; state: string; ok: boolean; rows: object[] }[];
        underWay: object;
      };
    };

    it("is the administrators' alone", async () => {
      const [user] = await sandbox.users(1);
      const statuses = [await http.get(path), await http.get(path, user!.token)].map(({ status }) => status);
      expect(statuses).to.deep.equal([401, 403]);
    });

    it("checks all products, or one that there is", async () => {
      const all = await http.get(path, sandbox.host.token);
      expect(successOf(all).data).to.deep.include({
        consistent: true,
        underWay: { orders: 0, reservations: 0 },
      });
      expect((await ask(1)).checks.every(({ state, ok }) => state === "ok" && ok)).to.equal(true);
      expect((await http.get(`${path}?productId=404`, sandbox.host.token)).status).to.equal(404);
      expect((await http.get(`${path}?productId=x`, sandbox.host.token)).status).to.equal(400);
    });

    it("tells what waits for orders under way from what is broken", async () => {
      await reserve(0)(sandbox, PRODUCTS);
      try {
        const open = await ask(PRODUCTS);
        expect(open).to.deep.include({ consistent: true, underWay: { orders: 0, reservations: 1 } });
        expect(open.checks.map(({ state }) => state))
          .to.include("unsettled")
          .and.not.include("broken");
        await reserve(60_000)(sandbox, PRODUCTS);
        const stuck = await ask(PRODUCTS);
        expect(stuck.consistent).to.equal(false);
        expect(stuck.checks.filter(({ ok }) => !ok).map(({ invariant }) => invariant)).to.deep.equal(["I3"]);
      } finally {
        await sandbox.redis.del(keys.reservations(PRODUCTS));
      }
    });
  });

  describe("with a planted violation", () => {
    before(async () => {
      // The database itself refuses most of these.
      for (const sql of [
        "ALTER TABLE products DROP CONSTRAINT products_sold_within_stock",
        "ALTER TABLE order_history DROP CONSTRAINT order_history_transition",
        "ALTER TABLE settlements ADD KEY settlements_order (order_id), DROP KEY settlements_order_unique",
      ])
        await sandbox.database.run(sql);
    });

    const wounds: { productId: number; orderId: string; violation: Violation }[] = [];

    VIOLATIONS.forEach((violation, i) => {
      const { name, invariant, rule, sql = [], redis, row, options, also = [] } = violation;
      it(`names ${name} (${invariant})`, async () => {
        const productId = i + 1;
        const [victim] = await ordersOf(productId);
        for (const statement of sql)
          await sandbox.database.run(
            statement.replaceAll(":p", String(productId)).replaceAll(":o", `'${victim!.id}'`),
          );
        await redis?.(sandbox, productId);
        wounds.push({ productId, orderId: victim!.id, violation });
        const found = broken(await check({ ...options, productId })) as Verdict["findings"];
        const named = found.find((finding) => finding.invariant === invariant && rule.test(finding.rule));
        expect(named?.rows, JSON.stringify(found)).to.have.lengthOf(1);
        expect(named?.rows[0]).to.deep.include(row(productId, victim!.id));
        expect(found.map((finding) => finding.invariant).sort()).to.deep.equal([invariant, ...also].sort());
        expect(named?.offenders).to.equal(1);
      });
    });

    it("names each of them over all products too, in one run that ends with 1", async () => {
      const { code, stdout } = await tool("--json");
      expect(code).to.equal(1);
      const { findings } = JSON.parse(stdout) as Verdict;
      for (const { productId, orderId, violation } of wounds) {
        const named = findings.find(
          ({ invariant, rule }) => invariant === violation.invariant && violation.rule.test(rule),
        );
        const wanted = Object.entries(violation.row(productId, orderId));
        const hit = named?.rows.some((one) =>
          wanted.every(([key, value]) => (one as Record<string, unknown>)[key] === value),
        );
        expect(hit, `${violation.name}: ${JSON.stringify(named)}`).to.equal(true);
      }
      expect(findings.find(({ rule }) => rule.startsWith("running totals of users"))?.offenders).to.be.above(
        0,
      );
    });

    it("names none of another product", async () => {
      expect(broken(await check({ productId: PRODUCTS }))).to.deep.equal([]);
    });

    it("only counts accepted orders that failed when it is told that Redis lost data", async () => {
      const { findings } = await check({ allowFailed: true });
      expect(findings.find(({ invariant }) => invariant === "I12")).to.deep.include({
        state: "ok",
        counted: 1,
      });
    });

    it("shows 20 rows and says how many there are", async () => {
      await sandbox.database.run(
        "DELETE FROM order_history WHERE order_id IN (SELECT id FROM orders WHERE product_id > 10)",
      );
      const { findings } = await check({});
      const named = findings.find(({ invariant }) => invariant === "I9");
      expect(named?.rows).to.have.lengthOf(20);
      expect(named?.offenders).to.be.above(ORDERS_OF_PRODUCT * (PRODUCTS - 10) - 1);
    });
  });

  describe("of dead letters", () => {
    before(() =>
      sandbox.database.run(
        `INSERT INTO dead_letters (topic, partition_no, offset_no, error, parked_at)
         VALUES ('t', 0, 1, 'this order id came before with other facts', NOW()), ('t', 0, 2, 'not JSON', NOW())`,
      ),
    );
    const letters = async (options: CheckOptions) =>
      (await check({ ...options, productId: PRODUCTS })).findings.filter(({ rule }) =>
        /letters|payload/.test(rule),
      );

    it("counts them, and those with another payload for one id (I10, I11)", async () => {
      const found = await letters({});
      expect(found.map(({ invariant, counted, state }) => [invariant, counted, state])).to.deep.equal([
        ["I10", 1, "ok"],
        ["I11", 2, "ok"],
      ]);
    });

    it("is broken by another number than was sent (I11)", async () => {
      const [, wrong] = await letters({ deadLetters: 3 });
      expect(wrong).to.deep.include({ state: "broken", rows: [{ parked: 2, expected: 3 }] });
      const [, right] = await letters({ deadLetters: 2 });
      expect(right?.state).to.equal("ok");
    });
  });

  describe("with messages that nobody decides", () => {
    it("finds the log's end not reached by the worker group (I11)", async () => {
      await sandbox.producer.send({
        topic: "flashpay.orders.v1",
        messages: [{ key: "k", value: "nobody reads this" }],
      });
      const open = await check({ productId: PRODUCTS });
      expect(open.findings.find(({ rule }) => rule.startsWith("the worker group"))?.state).to.equal(
        "unsettled",
      );
      const late = await check({ productId: PRODUCTS, drained: true });
      expect(late.findings.find(({ rule }) => rule.startsWith("the worker group"))?.state).to.equal("broken");
    });
  });
});

const answer = (status: number, body: object) => ({
  ...{ status, headers: {}, text: JSON.stringify(body), reused: false, ms: 0 },
});
