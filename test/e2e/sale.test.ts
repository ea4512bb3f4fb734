import { randomUUID } from "node:crypto";
import { expect } from "chai";
import { run } from "../../tools/stack/command.ts";
import type { Program } from "../../tools/stack/programs.ts";
import {
  cursorOf,
  orderOf,
  ordersOf,
  problemOf,
  saleOf,
  salesOf,
  settlementOf,
  settlementsOf,
  successOf,
  userOf,
} from "../support/bodies.ts";
import type { Answer, HttpClient } from "../support/http-client.ts";
import { broken, openSandbox, type Person, type Sandbox } from "../support/sandbox.ts";
import { openProxy } from "../support/tcp-proxy.ts";
import { until } from "../support/until.ts";
import { keys } from "../../shared/redis/keys.ts";

const SETTLED_WITHIN_MS = 2_000;
const REVOKED_WITHIN_MS = 1_000;
const READY_TOLD_WITHIN_MS = 2_500;
const PRICE = 12_900;
const ORDER_ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

describe("a sale, end to end", function () {
  this.timeout(60_000);
  let sandbox: Sandbox;
  let api: Program;
  let secondApi: Program;
  let worker: Program;
  let http: HttpClient;
  let elsewhere: HttpClient;

  before(async () => {
    sandbox = await openSandbox();
    [api, secondApi, worker] = await Promise.all([
      sandbox.start("api"),
      sandbox.start("api", { name: "api-2" }),
      sandbox.start("worker"),
    ]);
    http = sandbox.client(api);
    elsewhere = sandbox.client(secondApi);
  });
  after(() => (sandbox as Sandbox | undefined)?.close());

  const decided = (orderId: string, token: string, deadlineMs = SETTLED_WITHIN_MS) =>
    until(
      `order ${orderId} is decided`,
      async () => {
        const order = orderOf(await http.get(`/api/orders/${orderId}`, token));
        return order.status !== "PENDING" && order;
      },
      deadlineMs,
    );
  const order = (token: string, productId: number, more: { quantity?: number; key?: string } = {}) =>
    http.send("POST", "/api/orders", {
      token,
      body: { productId, ...(more.quantity !== undefined && { quantity: more.quantity }) },
      ...(more.key !== undefined && { headers: { "Idempotency-Key": more.key } }),
    });
  const buyer = async (): Promise<Person> => (await sandbox.users(1))[0]!;
  const problem = (answer: Answer, status: number, code: string): void => {
    expect(answer.status, answer.text).to.equal(status);
    expect(answer.headers["content-type"]).to.match(/^application\/problem\+json/);
    expect(problemOf(answer)).to.include({
      success: false,
      status,
      code,
      type: `urn:flashpay:problem:${code}`,
    });
    expect(problemOf(answer).traceId).to.match(/^[0-9a-f]{32}$/);
  };

  it("goes from sign-up to a settlement that is there within two seconds", async () => {
    const username = `mina-${randomUUID().slice(0, 8)}`;
    const account = { username, email: `${username}@Example.com`, password: "correct horse battery" };
    const signedUp = await http.post("/api/users/signup", account);
    expect(signedUp.status).to.equal(201);
    expect(userOf(signedUp)).to.deep.include({
      username,
      email: `${username}@example.com`,
      role: "user",
    });
    expect(signedUp.text).not.to.contain("assword");

    const loggedIn = await http.post("/api/users/login", { username, password: account.password });
    expect(loggedIn.status).to.equal(200);
    const login = successOf(loggedIn).data as { accessToken: string; tokenType: string; expiresIn: number };
    expect(login).to.deep.include({ tokenType: "Bearer", expiresIn: 1_800 });
    const token = login.accessToken;
    expect(userOf(await http.get("/api/users/me", token))).to.deep.equal(userOf(signedUp));

    const sale = await sandbox.openSale(http, { stock: 3, price: PRICE });
    expect(sale).to.include({ stock: 3, stockLeft: 3, state: "open", price: PRICE, perUserLimit: 1 });

    const accepted = await order(token, sale.id);
    expect(accepted.status).to.equal(202);
    const promise = orderOf(accepted);
    expect(promise).to.deep.include({
      ...{ status: "PENDING", productId: sale.id, quantity: 1 },
      ...{ unitPrice: PRICE, amount: PRICE, currency: "KRW" },
    });
    expect(promise.orderId).to.match(ORDER_ID);
    expect(promise.acceptedAt).to.match(INSTANT);
    expect(accepted.headers.location).to.equal(`/api/orders/${promise.orderId}`);

    const settled = await decided(promise.orderId, token);
    expect(settled).to.deep.include({ ...promise, status: "SUCCESS" });
    expect(settled.decidedAt).to.match(INSTANT);
    const settlement = settlementOf(await http.get("/api/settlements/latest", token));
    expect(settled.settlement).to.deep.equal({
      id: settlement.id,
      amount: PRICE,
      settledAt: settlement.settledAt,
    });
    expect(settlement).to.deep.include({
      ...{ orderId: promise.orderId, userId: userOf(signedUp).id, productId: sale.id },
      ...{ type: "charge", amount: PRICE, currency: "KRW" },
    });
    expect(saleOf(await http.get(`/api/products/${sale.id}`)).stockLeft).to.equal(2);
  });

  it("logs in by e-mail as well, whatever its case", async () => {
    const { username } = await buyer();
    const email = `${username.toUpperCase()}@EXAMPLE.COM`;
    const answer = await http.post("/api/users/login", { email, password: "seeded horse battery" });
    expect(answer.status, answer.text).to.equal(200);
  });

  describe("an order that is not decided yet", () => {
    let owner: Person;
    let orderId: string;
    let productId: number;

    before(async () => {
      owner = await buyer();
      productId = (await sandbox.openSale(http, { stock: 5, perUserLimit: 2 })).id;
      worker.kill("SIGSTOP");
      orderId = orderOf(await order(owner.token, productId, { quantity: 2 })).orderId;
    });
    after(() => {
      worker.kill("SIGCONT");
    });

    it("is PENDING from the moment of its 202 on, for its owner and an admin, on every process", async () => {
      for (const client of [http, elsewhere]) {
        for (const token of [owner.token, sandbox.host.token]) {
          const read = orderOf(await client.get(`/api/orders/${orderId}`, token));
          expect(read).to.deep.include({ orderId, status: "PENDING", quantity: 2 });
          expect(read).to.not.have.any.keys("decidedAt", "settlement", "failReason");
        }
      }
    });

    it("stands in its owner's list, and under ?status=PENDING and ?productId= only", async () => {
      const listed = async (query: string): Promise<string[]> =>
        ordersOf(await http.get(`/api/orders${query}`, owner.token)).map((listed) => listed.orderId);
      expect(await listed("")).to.deep.equal([orderId]);
      expect(await listed("?status=PENDING")).to.deep.equal([orderId]);
      expect(await listed(`?productId=${productId}`)).to.deep.equal([orderId]);
      expect(await listed("?status=SUCCESS")).to.deep.equal([]);
      expect(await listed(`?productId=${productId + 1}`)).to.deep.equal([]);
    });

    it("is nobody else's", async () => {
      problem(await http.get(`/api/orders/${orderId}`, (await buyer()).token), 404, "not_found");
    });

    it("has taken its units at once, and is settled when the worker comes back", async () => {
      expect(saleOf(await http.get(`/api/products/${productId}`)).stockLeft).to.equal(3);
      expect(await sandbox.rowsOf(productId)).to.deep.equal([]);
      worker.kill("SIGCONT");
      expect((await decided(orderId, owner.token, 20_000)).status).to.equal("SUCCESS");
      expect(ordersOf(await http.get("/api/orders?status=PENDING", owner.token))).to.deep.equal([]);
    });
  });

  describe("what is read afterwards", () => {
    const ORDERS = 5;
    let owner: Person;
    let productId: number;
    let ids: string[];

    before(async () => {
      owner = await buyer();
      productId = (await sandbox.openSale(http, { stock: 50, perUserLimit: 50 })).id;
      ids = [];
      for (let i = 0; i < ORDERS; i += 1) {
        ids.push(orderOf(await order(owner.token, productId, { quantity: i + 1 })).orderId);
      }
      for (const id of ids) await decided(id, owner.token, 10_000);
    });

    it("comes newest first, page after page, with no row twice or missing", async () => {
      const walk = async (path: string, idOf: (row: object) => string): Promise<string[]> => {
        const seen: string[] = [];
        let cursor: string | null = "";
        while (cursor !== null) {
          const answer = await http.get(`${path}?limit=2${cursor && `&cursor=${cursor}`}`, owner.token);
          expect(answer.status).to.equal(200);
          const rows = successOf(answer).data as object[];
          expect(rows.length).to.be.at.most(2);
          seen.push(...rows.map(idOf));
          cursor = cursorOf(answer);
        }
        return seen;
      };
      const orderIdOf = (row: object): string => (row as { orderId: string }).orderId;
      expect(await walk("/api/orders", orderIdOf)).to.deep.equal([...ids].reverse());
      const settled = await walk("/api/settlements", orderIdOf);
      expect([...settled].sort()).to.deep.equal([...ids].sort());
      expect(await walk(`/api/settlements/users/${owner.id}`, orderIdOf)).to.deep.equal(settled);
    });

    it("adds up to exact totals", async () => {
      const amount = 15 * PRICE;
      const totals = { totals: [{ currency: "KRW", count: ORDERS, amount }] };
      const ofUser = await http.get(`/api/settlements/users/${owner.id}/total`, owner.token);
      const ofProduct = await http.get(`/api/settlements/products/${productId}/total`, sandbox.host.token);
      expect(successOf(ofUser).data).to.deep.equal(totals);
      expect(successOf(ofProduct).data).to.deep.equal(totals);
      expect(successOf(await http.get("/api/settlements/total", owner.token)).data).to.deep.equal(totals);
      const all = await sandbox.database.rows<{ currency: string; count: number; amount: string }>(
        "SELECT currency, COUNT(*) AS count, SUM(amount) AS amount FROM settlements GROUP BY currency ORDER BY currency",
      );
      const ofAll = await http.get("/api/settlements/total", sandbox.host.token);
      expect(successOf(ofAll).data).to.deep.equal({
        totals: all.map((total) => ({ ...total, amount: Number(total.amount) })),
      });
      expect((await http.get("/api/settlements/total?userId=1", owner.token)).status).to.equal(400);
    });

    it("has a latest one for each view", async () => {
      const { token } = sandbox.host;
      const [newest] = settlementsOf(await http.get("/api/settlements?limit=1", owner.token));
      const views = [
        ["/api/settlements/latest", owner.token],
        [`/api/settlements/users/${owner.id}/latest`, owner.token],
        [`/api/settlements/users/${owner.id}/latest`, token],
        [`/api/settlements/products/${productId}/latest`, token],
      ] as const;
      for (const [path, as] of views)
        expect(settlementOf(await http.get(path, as)), path).to.deep.equal(newest);
    });

    it("is whole for an admin", async () => {
      const { token } = sandbox.host;
      expect(orderOf(await http.get(`/api/orders/${ids[0]!}`, token)).status).to.equal("SUCCESS");
      const everybodys = settlementsOf(await http.get("/api/settlements?limit=100", token));
      expect(new Set(everybodys.map(({ userId }) => userId)).size).to.be.greaterThan(1);
      const ofProduct = settlementsOf(await http.get(`/api/settlements/products/${productId}`, token));
      expect(ofProduct.map(({ orderId }) => orderId)).to.have.members(ids);
      expect(settlementsOf(await http.get(`/api/settlements/users/${owner.id}`, token))).to.have.length(
        ORDERS,
      );
    });

    it("is 404 for anybody else, in the same words as what does not exist", async () => {
      const stranger = await buyer();
      const pairs = [
        [`/api/orders/${ids[0]!}`, `/api/orders/${randomUUID().replace(/^(.{14})4/, "$17")}`],
        [`/api/settlements/users/${owner.id}`, "/api/settlements/users/999999999"],
        [`/api/settlements/users/${owner.id}/total`, "/api/settlements/users/999999999/total"],
        [`/api/settlements/users/${owner.id}/latest`, "/api/settlements/users/999999999/latest"],
      ] as const;
      for (const [theirs, nobodys] of pairs) {
        const answers = [await http.get(theirs, stranger.token), await http.get(nobodys, stranger.token)];
        for (const answer of answers) problem(answer, 404, "not_found");
        const [one, other] = answers.map((answer) => ({ ...problemOf(answer), traceId: "" }));
        expect(one, theirs).to.deep.equal(other);
      }
      problem(await http.get(`/api/settlements/products/${productId}`, stranger.token), 403, "forbidden");
      expect(ordersOf(await http.get("/api/orders", stranger.token))).to.deep.equal([]);
      expect(settlementsOf(await http.get("/api/settlements", stranger.token))).to.deep.equal([]);
      problem(await http.get("/api/settlements/latest", stranger.token), 404, "not_found");
    });

    it("lists sales newest first, page after page, to anybody", async () => {
      const first = await http.get("/api/products?limit=1");
      expect(salesOf(first).map(({ id }) => id)).to.deep.equal([productId]);
      const second = await http.get(`/api/products?limit=1&cursor=${cursorOf(first) ?? ""}`);
      expect(salesOf(second)[0]?.id).to.be.lessThan(productId);
    });
  });

  describe("an Idempotency-Key", () => {
    const newKey = (): string => randomUUID();

    it("gives the first answer again, byte for byte, and takes nothing more", async () => {
      const { token } = await buyer();
      const sale = await sandbox.openSale(http, { stock: 9, perUserLimit: 9 });
      const key = newKey();
      const first = await order(token, sale.id, { key });
      expect(first.status).to.equal(202);
      expect(first.headers).to.not.have.property("idempotent-replayed");
      await decided(orderOf(first).orderId, token);
      for (const client of [http, elsewhere]) {
        const again = await client.send("POST", "/api/orders", {
          ...{ token, body: { productId: sale.id }, headers: { "Idempotency-Key": key } },
        });
        expect([again.status, again.text]).to.deep.equal([202, first.text]);
        expect(again.headers["idempotent-replayed"]).to.equal("true");
        expect(again.headers.location).to.equal(first.headers.location);
      }
      expect(saleOf(await http.get(`/api/products/${sale.id}`)).stockLeft).to.equal(8);
    });

    it("gives a sold_out again, even when there are units once more", async () => {
      const [first, late] = await sandbox.users(2);
      const sale = await sandbox.openSale(http, { stock: 1 });
      expect((await order(first!.token, sale.id)).status).to.equal(202);
      const key = newKey();
      const refused = await order(late!.token, sale.id, { key });
      problem(refused, 409, "sold_out");
      expect(problemOf(refused).data).to.deep.equal({ status: "FAILED", reason: "sold_out" });
      const answeredAgain = async (): Promise<Answer> => {
        const again = await order(late!.token, sale.id, { key });
        expect(again.text).to.equal(refused.text);
        expect(again.headers["idempotent-replayed"]).to.equal("true");
        return again;
      };
      await until(
        "the refusal is remembered",
        async () => (await order(late!.token, sale.id, { key })).headers["idempotent-replayed"] === "true",
        1_000,
      );
      await sandbox.redis.hset(keys.stock(sale.id), "left", 1);
      expect((await answeredAgain()).status).to.equal(409);
      await sandbox.redis.hset(keys.stock(sale.id), "left", 0);
    });

    it("refuses another request under the same key with 422", async () => {
      const { token } = await buyer();
      const [one, other] = [
        await sandbox.openSale(http, { stock: 9, perUserLimit: 9 }),
        await sandbox.openSale(http, { stock: 9, perUserLimit: 9 }),
      ];
      const key = newKey();
      expect((await order(token, one.id, { key })).status).to.equal(202);
      problem(await order(token, other.id, { key }), 422, "idempotency_key_reused");
      problem(await order(token, one.id, { key, quantity: 2 }), 422, "idempotency_key_reused");
      expect(saleOf(await http.get(`/api/products/${other.id}`)).stockLeft).to.equal(9);
    });

    it("is one user's: the same key of another user is another order", async () => {
      const [one, other] = await sandbox.users(2);
      const sale = await sandbox.openSale(http, { stock: 9 });
      const key = newKey();
      const ids = [
        orderOf(await order(one!.token, sale.id, { key })).orderId,
        orderOf(await order(other!.token, sale.id, { key })).orderId,
      ];
      expect(new Set(ids).size).to.equal(2);
      expect(saleOf(await http.get(`/api/products/${sale.id}`)).stockLeft).to.equal(7);
    });

    it("hears order_in_progress while an order on the same product is being worked on, and is free afterwards", async () => {
      const { id, token } = await buyer();
      const sale = await sandbox.openSale(http, { stock: 9 });
      const key = newKey();
      await sandbox.redis.set(keys.orderLock(id, sale.id), "another request", "PX", 30_000);
      const busy = await order(token, sale.id, { key });
      problem(busy, 409, "order_in_progress");
      expect(busy.headers["retry-after"]).to.equal("1");
      problem(await order(token, sale.id), 409, "order_in_progress");
      await sandbox.redis.del(keys.orderLock(id, sale.id));
      const free = await order(token, sale.id, { key });
      expect(free.status, free.text).to.equal(202);
      expect(free.headers).to.not.have.property("idempotent-replayed");
    });
  });

  it("refuses a token on every process within a second of its log-out", async () => {
    const { username } = await buyer();
    const login = await http.post("/api/users/login", { username, password: "seeded horse battery" });
    const token = (successOf(login).data as { accessToken: string }).accessToken;
    expect((await elsewhere.get("/api/users/me", token)).status).to.equal(200);
    expect((await http.send("POST", "/api/users/logout", { token })).status).to.equal(204);
    problem(await http.get("/api/users/me", token), 401, "unauthenticated");
    await until(
      "the other process refuses the token",
      async () => (await elsewhere.get("/api/users/me", token)).status === 401,
      REVOKED_WITHIN_MS,
    );
    const refused = await elsewhere.send("POST", "/api/orders", { token, body: { productId: 1 } });
    problem(refused, 401, "unauthenticated");
    expect(refused.headers["www-authenticate"]).to.equal("Bearer");
  });

  it("refuses all tokens of a user on every process within a second of a log-out everywhere, not the next one", async () => {
    const { username } = await buyer();
    const logIn = async (): Promise<string> => {
      const login = await http.post("/api/users/login", { username, password: "seeded horse battery" });
      return (successOf(login).data as { accessToken: string }).accessToken;
    };
    const [stolen, own] = [await logIn(), await logIn()];
    for (const token of [stolen, own])
      expect((await elsewhere.get("/api/users/me", token)).status).to.equal(200);
    expect((await http.send("POST", "/api/users/logout-all", { token: own })).status).to.equal(204);
    for (const token of [stolen, own]) {
      problem(await http.get("/api/users/me", token), 401, "unauthenticated");
      await until(
        "the other process refuses the token",
        async () => (await elsewhere.get("/api/users/me", token)).status === 401,
        REVOKED_WITHIN_MS,
      );
    }
    const next = await logIn();
    for (const client of [http, elsewhere])
      expect((await client.get("/api/users/me", next)).status).to.equal(200);
  });

  it("refuses all tokens of an account on every process within a second of npm run admin -- revoke", async () => {
    const { token, username } = await buyer();
    const revoke = (name: string) =>
      run(process.execPath, ["--import", "tsx", "tools/admin.ts", "revoke", name], {
        env: sandbox.settings(),
      });
    expect(await revoke(`${username}-nobody`)).to.deep.include({ ok: false });
    expect((await elsewhere.get("/api/users/me", token)).status).to.equal(200);
    expect((await revoke(username.toUpperCase())).output).to.contain(`All tokens of ${username}`);
    for (const client of [http, elsewhere])
      await until(
        "the process refuses the token",
        async () => (await client.get("/api/users/me", token)).status === 401,
        REVOKED_WITHIN_MS,
      );
  });

  describe("methods", () => {
    for (const [method, path, allow] of [
      ["PUT", "/api/orders", "GET, HEAD, OPTIONS, POST"],
      ["DELETE", "/api/orders/x", "GET, HEAD, OPTIONS"],
      ["GET", "/api/users/login", "OPTIONS, POST"],
      ["HEAD", "/api/users/signup", "OPTIONS, POST"],
      ["PUT", "/api/products/1", "GET, HEAD, OPTIONS, PATCH"],
      ["POST", "/api/settlements/latest", "GET, HEAD, OPTIONS"],
      ["POST", "/healthz", "GET, HEAD, OPTIONS"],
    ] as const) {
      it(`${method} ${path} is 405 with what is allowed`, async () => {
        const answer = await http.send(method, path);
        expect(answer.status).to.equal(405);
        expect(answer.headers.allow).to.equal(allow);
        if (method !== "HEAD") problem(answer, 405, "method_not_allowed");
      });
    }

    it("OPTIONS tells what is allowed, HEAD is GET without a body", async () => {
      const options = await http.send("OPTIONS", "/api/orders");
      expect([options.status, options.headers.allow]).to.deep.equal([204, "GET, HEAD, OPTIONS, POST"]);
      const head = await http.send("HEAD", "/api/products");
      expect([head.status, head.text]).to.deep.equal([200, ""]);
      expect(head.headers["content-type"]).to.match(/^application\/json/);
    });

    it("an unknown address is 404, whatever the method", async () => {
      for (const [method, path] of [
        ["GET", "/api/nothing"],
        ["POST", "/nothing"],
        ["DELETE", "/api/orders/1/2"],
      ] as const)
        problem(await http.send(method, path), 404, "not_found");
    });
  });

  describe("operation", () => {
    it("has a health page on both programs that answers whatever else is down", async () => {
      for (const program of [api, worker]) {
        const answer = await sandbox.client(program).get("/healthz");
        expect(answer.status).to.equal(200);
        expect(successOf(answer).data).to.deep.equal({ status: "ok" });
      }
    });

    it("is ready with everything there, on both programs", async () => {
      for (const program of [api, worker]) {
        const answer = await sandbox.client(program).get("/readyz");
        expect(answer.status, answer.text).to.equal(200);
        const { checks } = successOf(answer).data as { checks: Record<string, boolean> };
        expect(checks).to.include({ mysql: true, redis: true, kafka: true });
      }
    });

    it("names what is away on /readyz, answers orders accordingly, and is ready again when it is back", async () => {
      const { hostname, port, password, pathname } = new URL(sandbox.redisUrl);
      const redisProxy = await openProxy({ host: hostname, port: Number(port) });
      const mysqlProxy = await openProxy(sandbox.mysql);
      const proxied = await sandbox.start("api", {
        name: "api-proxied",
        env: {
          REDIS_URL: `redis://:${password}@127.0.0.1:${redisProxy.port}${pathname}`,
          MYSQL_PORT: String(mysqlProxy.port),
        },
      });
      const client = sandbox.client(proxied);
      const away = async (): Promise<string[]> => {
        const answer = await client.get("/readyz");
        const { checks } = successOf(answer).data as { checks: Record<string, boolean> };
        const names = Object.entries(checks).flatMap(([name, ok]) => (ok ? [] : [name]));
        expect(answer.status).to.equal(names.length === 0 ? 200 : 503);
        return names;
      };
      const { id: productId } = await sandbox.openSale(http, { stock: 2 });
      const { token } = await buyer();
      try {
        expect(await away()).to.deep.equal([]);
        redisProxy.refuse();
        // A look is shared for a moment: the next one knows.
        await until("Redis is missed", async () => (await away()).join() === "redis", READY_TOLD_WITHIN_MS);
        const refused = await client.post("/api/orders", { productId }, token);
        problem(refused, 503, "not_ready");
        expect(refused.ms).to.be.lessThan(1_000);
        mysqlProxy.refuse();
        await until(
          "both are missed",
          async () => (await away()).join() === "mysql,redis",
          READY_TOLD_WITHIN_MS,
        );
        expect((await client.get("/healthz")).status).to.equal(200);
        problem(await client.get("/api/settlements", token), 503, "not_ready");
        redisProxy.pass();
        await until("Redis is back", async () => (await away()).join() === "mysql", 5_000);
        const accepted = await client.post("/api/orders", { productId }, token);
        expect(accepted.status, "orders need no database").to.equal(202);
        mysqlProxy.pass();
        await until("MySQL is back", async () => (await away()).length === 0, 5_000);
        await decided(orderOf(accepted).orderId, token, 5_000);
      } finally {
        await proxied.stop();
        await Promise.all([redisProxy.close(), mysqlProxy.close()]);
      }
    });

    it("tells its metrics, by name", async () => {
      const names = async (program: Program): Promise<Set<string>> => {
        const { text } = await sandbox.client(program).get("/metrics");
        return new Set([...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name = ""]) => name));
      };
      expect([...(await names(api))]).to.include.members([
        "flashpay_orders_total",
        "flashpay_order_answer_seconds",
        "flashpay_produce_batch_orders",
        "flashpay_produce_seconds",
        "nodejs_eventloop_lag_seconds",
      ]);
      expect([...(await names(worker))]).to.include.members([
        "flashpay_worker_batch_orders",
        "flashpay_worker_batch_seconds",
        "flashpay_worker_decisions_total",
        "flashpay_worker_lag_orders",
        "flashpay_worker_oldest_undecided_seconds",
        "flashpay_dead_letters",
        "flashpay_order_decision_seconds",
        "nodejs_eventloop_lag_seconds",
      ]);
      const { text } = await sandbox.client(api).get("/metrics");
      expect(text).to.match(/^flashpay_orders_total\{outcome="accepted"[^}]*\} [1-9]/m);
      expect(text).to.match(/^flashpay_orders_total\{outcome="sold_out"[^}]*\} [1-9]/m);
    });
  });

  describe("in the end", () => {
    it("stock, rows and log agree", async () => {
      expect(broken(await sandbox.verify())).to.deep.equal([]);
    });
  });
});
