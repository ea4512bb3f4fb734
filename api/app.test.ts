import { randomUUID } from "node:crypto";
import { createServer } from "node:http";
import { expect } from "chai";
import { Registry } from "prom-client";
import { request } from "../test/support/checked-request.ts";
import { createRateLimit } from "../shared/rate-limit.ts";
import { createReadiness } from "../shared/readiness.ts";
import { createFakeAdministration } from "../shared/testing/administration.ts";
import { createFakeClock } from "../shared/testing/clock.ts";
import { createFakeDatabase } from "../shared/testing/database.ts";
import { createFakeRevocations, createFakeStockEpochs } from "../shared/testing/fakes.ts";
import { createLogRecorder } from "../shared/testing/log.ts";
import { createFakeOrderClaims } from "../shared/testing/order-claims.ts";
import { createFakeOrderEvents } from "../shared/testing/order-events.ts";
import { sampleProduct, sampleUser } from "../shared/testing/samples.ts";
import { createFakeStockStore } from "../shared/testing/stock-store.ts";
import { createApp, type AppDependencies } from "./app.ts";
import type { Load } from "./load-watch.ts";
import { createAuthenticate, createTokenIssuer } from "./middleware/authenticate.ts";
import { createAccountService } from "./services/account-service.ts";
import { createConsistencyService } from "./services/consistency-service.ts";
import { createDeadLetterService } from "./services/dead-letter-service.ts";
import { createLiveStreams } from "./services/live-streams.ts";
import { createLiveView } from "./services/live-view.ts";
import { createOrderQueryService } from "./services/order-query-service.ts";
import { createOrderService } from "./services/order-service.ts";
import { createProductService } from "./services/product-service.ts";
import { createOrderStreams } from "./services/order-streams.ts";
import { createReconcileService } from "./services/reconcile-service.ts";
import { createReportService } from "./services/report-service.ts";
import { createSettlementService } from "./services/settlement-service.ts";

export const SECRET = "b8f1d3a5c79e2460b8f1d3a5c79e2460-Zx";

type TestSettings = Partial<AppDependencies["settings"]> & {
  readonly ratePerAddress?: number;
  readonly orderRatePerUser?: number;
  readonly load?: Load;
};

/** The whole API on fakes. User 1 and 2 are users, 3 is an administrator; product 1 is open. */
export function createTestApp({
  ratePerAddress = 100_000,
  orderRatePerUser = 100_000,
  load = "normal",
  ...settings
}: TestSettings = {}) {
  const clock = createFakeClock();
  const database = createFakeDatabase(clock.now);
  const stock = createFakeStockStore(clock.now);
  const claims = createFakeOrderClaims(clock.now);
  const events = createFakeOrderEvents((order) => void stock.markPublished([order]));
  const revocations = createFakeRevocations();
  const log = createLogRecorder();
  const { products, store } = database;
  const administration = createFakeAdministration(database, clock.now);
  const nothing = async () => undefined;
  const limited: string[] = [];
  const limitOf = (points: number) => {
    // Requests of a slow machine are shared one by one: what was shared before counts, too.
    const totals = new Map<string, number>();
    return createRateLimit({
      ...{ points, windowMs: 1_000, log, elapsed: clock.now },
      share: async (key, units) => {
        const total = (totals.get(key) ?? 0) + units;
        totals.set(key, total);
        return { total, endsInMs: 1_000 };
      },
    });
  };
  database.tables.users
    .set(1, sampleUser(1))
    .set(2, sampleUser(2))
    .set(3, sampleUser(3, { role: "admin" }));
  database.tables.products.set(1, sampleProduct());
  const streams = createOrderStreams({
    ...{ orders: database.orderReader, revocations, log, now: clock.now },
    ...{ max: 100, maxPerUser: 3 },
  });
  const tokens = createTokenIssuer(SECRET, 1_800);
  const live = createLiveStreams({
    view: createLiveView({
      ...{ log, now: clock.now, backlog: { lag: async () => 0n, hasOlderThan: async () => false } },
      stock: { look: async () => new Map() },
      counts: { answered: async () => new Map(), latencies: async () => [] },
      database: {
        sales: async () => [...database.tables.products.values()].map((sale) => ({ ...sale, settled: 0 })),
        parkedLetters: async () => 0,
      },
    }),
    ...{ revocations, log, now: clock.now },
  });
  const app = createApp({
    ...{ log, requests: log },
    registry: new Registry(),
    readiness: createReadiness({ redis: () => true }),
    authenticate: createAuthenticate(SECRET, revocations),
    accounts: createAccountService({
      users: database.users,
      passwords: {
        hash: async (password) => `hash of ${password}`,
        matches: async (password, hash) => hash === `hash of ${password}`,
      },
      tokens,
      revocations,
      attempts: {
        startLogin: async () => ({ succeeded: nothing, undone: nothing }),
        startSignup: async () => ({ succeeded: nothing, undone: nothing }),
      },
      disguise: (name) => `somebody of ${name.length}`,
      log,
      now: Date.now,
    }),
    products: createProductService({
      ...{ products, stock, sales: administration.sales, log, now: clock.now },
      epochs: createFakeStockEpochs(),
    }),
    orders: createOrderService({
      claims,
      stock,
      events,
      overdue: () => false,
      products,
      log,
      now: clock.now,
      observe: () => undefined,
    }),
    orderQueries: createOrderQueryService({
      orders: database.orderReader,
      claims,
      stock,
      products,
      now: clock.now,
    }),
    orderStreams: streams,
    settlements: createSettlementService(database.settlementReader, "Asia/Seoul"),
    reports: createReportService({
      ...{ snapshots: database.settlementSnapshots, audit: administration.audit, timeZone: "Asia/Seoul" },
      ...{ newId: randomUUID, rest: nothing, log, now: clock.now },
    }),
    deadLetters: createDeadLetterService({
      ...administration,
      orders: database.orderReader,
      log,
      now: clock.now,
    }),
    audit: administration.audit,
    reconciling: createReconcileService({ stock, ledger: database.store, audit: administration.audit, log }),
    consistency: createConsistencyService({
      consistency: {
        async *check() {},
        underWay: async () => ({ orders: 0, reservations: 0, notLoaded: 0 }),
      },
      products,
      now: clock.now,
    }),
    // A client can wait for the end of a stream: here it comes with its first snapshot.
    live: {
      follow: (follower) =>
        live.follow({
          ...follower,
          show: (snapshot) => {
            follower.show(snapshot);
            follower.end();
          },
        }),
    },
    limits: {
      address: limitOf(ratePerAddress),
      orders: limitOf(orderRatePerUser),
      notes: { refused: (limit) => void limited.push(limit) },
    },
    load: { now: () => load, notes: { shed: (late) => void limited.push(late) } },
    settings: {
      trustedProxies: 0,
      corsOrigins: [],
      docs: true,
      metrics: true,
      // Not built for a test of rules: the sources hold both pages, too.
      pages: "api/pages",
      ...settings,
    },
  });
  const fakes = {
    clock,
    streams,
    live,
    database,
    administration,
    stock,
    claims,
    events,
    revocations,
    log,
    limited,
  };
  return { app, ...fakes, bearer, openSale };

  function bearer(id: number, role: "user" | "admin" = "user"): string {
    return `Bearer ${tokens.issue({ id, role, jti: `jti-${id}` }).accessToken}`;
  }
  async function openSale(changes: Parameters<typeof sampleProduct>[0] = {}): Promise<void> {
    const product = sampleProduct(changes);
    database.tables.products.set(product.id, product);
    await stock.load({ product, bought: store.boughtByProduct(product.id), epoch: 1 });
  }
}
export type TestApp = ReturnType<typeof createTestApp>;

/** On 127.0.0.1 only: supertest by itself would come from where the system likes. */
const listening = (app: TestApp["app"]) => createServer(app).listen(0, "127.0.0.1");

describe("an order over HTTP", () => {
  it("is answered with 202, Location, and a body of the order's facts", async () => {
    const { app, bearer, openSale } = createTestApp();
    await openSale();
    const response = await request(app)
      .post("/api/orders")
      .set("Authorization", bearer(1))
      .send({ productId: 1 });
    const { data } = response.body as { data: { orderId: string } };
    expect(response.status).to.equal(202);
    expect(response.headers["location"]).to.equal(`/api/orders/${data.orderId}`);
    expect(data).to.deep.equal({
      orderId: data.orderId,
      status: "PENDING",
      productId: 1,
      quantity: 1,
      unitPrice: 99_000,
      amount: 99_000,
      currency: "KRW",
      acceptedAt: "2027-01-01T09:00:00.000Z",
    });
  });

  it("is answered to the byte with the same body again under its key, marked as a replay", async () => {
    const { app, bearer, openSale } = createTestApp();
    await openSale();
    const place = () =>
      request(app)
        .post("/api/orders")
        .set("Authorization", bearer(1))
        .set("Idempotency-Key", "0123456789abcdef")
        .send({ productId: 1 });
    const [first, second] = [await place(), await place()];
    expect([first.status, second.status]).to.deep.equal([202, 202]);
    expect(second.text).to.equal(first.text);
    expect(first.headers).not.to.have.property("idempotent-replayed");
    expect(second.headers["idempotent-replayed"]).to.equal("true");
  });

  it("that was refused is answered to the byte with the same refusal again under its key", async () => {
    const { app, bearer, openSale } = createTestApp();
    await openSale({ stock: 1, sold: 1 });
    const place = () =>
      request(app)
        .post("/api/orders")
        .set("Authorization", bearer(1))
        .set("Idempotency-Key", "0123456789abcdef")
        .send({ productId: 1 });
    const [first, second] = [await place(), await place()];
    expect(first.status).to.equal(409);
    expect(first.body).to.deep.include({ code: "sold_out", data: { status: "FAILED", reason: "sold_out" } });
    expect(second.text).to.equal(first.text);
    expect(second.headers["idempotent-replayed"]).to.equal("true");
  });

  it("can be read from the moment of its 202 by its owner and administrators, by nobody else", async () => {
    const { app, bearer, openSale } = createTestApp();
    await openSale();
    const placed = await request(app)
      .post("/api/orders")
      .set("Authorization", bearer(1))
      .send({ productId: 1 });
    const path = placed.headers["location"] ?? "";
    const read = (authorization: string) => request(app).get(path).set("Authorization", authorization);
    const own = await read(bearer(1));
    expect(own.body).to.have.nested.property("data.status", "PENDING");
    expect((await read(bearer(3, "admin"))).status).to.equal(200);
    const other = await read(bearer(2));
    const unknown = await request(app)
      .get("/api/orders/019a0b6c-7b1e-7c3a-9f52-6d8a3c1e4b70")
      .set("Authorization", bearer(2));
    const { traceId: _a, ...first } = other.body as Record<string, unknown>;
    const { traceId: _b, ...second } = unknown.body as Record<string, unknown>;
    expect([other.status, first]).to.deep.equal([404, second]);
  });

  it("that is limited hears 429 with Retry-After before anything is taken", async () => {
    const { app, bearer, openSale, stock, limited } = createTestApp({ orderRatePerUser: 1 });
    await openSale({ perUserLimit: 5 });
    const place = () =>
      request(app).post("/api/orders").set("Authorization", bearer(1)).send({ productId: 1 });
    const [first, second] = [await place(), await place()];
    expect([first.status, second.status]).to.deep.equal([202, 429]);
    expect(second.headers["retry-after"]).to.equal("1");
    expect([stock.leftOf(1), limited]).to.deep.equal([9, ["orders"]]);
  });

  it("says its limits and what is left of them, also when it is refused", async () => {
    const { app, bearer, openSale } = createTestApp({ ratePerAddress: 100, orderRatePerUser: 2 });
    await openSale({ perUserLimit: 5 });
    const headers = [];
    for (let i = 0; i < 3; i += 1) {
      const placing = request(app).post("/api/orders").set("Authorization", bearer(1));
      headers.push((await placing.send({ productId: 1 })).headers);
    }
    expect(headers.map((header) => header["ratelimit-policy"])).to.deep.equal(
      Array(3).fill('"address";q=100;w=1, "orders";q=2;w=1'),
    );
    expect(headers.map((header) => header["ratelimit"])).to.deep.equal([
      '"address";r=99;t=1, "orders";r=1;t=1',
      '"address";r=98;t=1, "orders";r=0;t=1',
      '"address";r=97;t=1, "orders";r=0;t=1',
    ]);
  });
});

describe("a process that is late", () => {
  const asks: [string, "get" | "post", string, object?][] = [
    ["a list", "get", "/api/products"],
    ["the order of a buyer", "get", "/api/orders/019a0b6c-7b1e-7c3a-9f52-6d8a3c1e4b70"],
    ["a log-in", "post", "/api/users/login", { username: "mina.kim", password: "wrong horse" }],
    ["an order", "post", "/api/orders", { productId: 1 }],
    ["an order, as the router also takes it", "post", "/API/Orders/", { productId: 1 }],
    ["health", "get", "/healthz"],
  ];
  const served: Record<Exclude<Load, "normal">, string[]> = {
    late: ["a log-in", "an order", "an order, as the router also takes it", "health"],
    very_late: ["an order", "an order, as the router also takes it", "health"],
  };
  for (const load of ["late", "very_late"] as const) {
    it(`(${load}) refuses with 503 and Retry-After, and before it begins, all but ${served[load].join(", ")}`, async () => {
      const { app, bearer, openSale, limited } = createTestApp({ load });
      await openSale({ perUserLimit: 5 });
      const refused = [];
      for (const [what, method, path, body] of asks) {
        const asking = request(app)[method](path).set("Authorization", bearer(1));
        const { status, headers } = await (body ? asking.send(body) : asking);
        if (status !== 503) continue;
        refused.push(what);
        expect(headers["retry-after"]).to.equal("2");
      }
      expect(refused).to.deep.equal(
        asks.map(([what]) => what).filter((what) => !served[load].includes(what)),
      );
      expect(limited).to.deep.equal(refused.map(() => load));
    });
  }
});

describe("an administrator's route", () => {
  const routes: ["get" | "post", string][] = [
    ["post", "/api/products"],
    ["get", "/api/settlements/products/1"],
    ["get", "/api/settlements/products/1/total"],
    ["get", "/api/settlements/products/1/latest"],
  ];
  for (const [method, path] of routes) {
    it(`${method} ${path} is forbidden to a user, and unknown visitors are asked to sign in`, async () => {
      const { app, bearer } = createTestApp();
      expect((await request(app)[method](path)).status).to.equal(401);
      const response = await request(app)
        [method](path)
        .set("Authorization", bearer(1))
        .set("X-HTTP-Method-Override", "DELETE");
      expect([response.status, (response.body as { code: string }).code]).to.deep.equal([403, "forbidden"]);
    });
  }
});

describe("a user's settlements", () => {
  for (const path of ["", "/total", "/latest"]) {
    it(`(${path}) are not there for another user`, async () => {
      const { app, bearer } = createTestApp();
      const response = await request(app)
        .get(`/api/settlements/users/1${path}`)
        .set("Authorization", bearer(2));
      expect(response.status).to.equal(404);
    });
  }
});

describe("an address", () => {
  const unknown = [
    "/nothing",
    "/admin.html",
    "/pages/../app.ts",
    "/.env",
    "/.git/config",
    "/api",
    "/api/orders/../admin",
    "//api/orders",
    "/api/nothing",
  ];
  for (const path of unknown) {
    it(`${path} that is not served is a problem of code not_found`, async () => {
      const response = await request(createTestApp().app).get(path);
      expect([response.status, response.type]).to.deep.equal([404, "application/problem+json"]);
    });
  }

  it("that serves other methods says which", async () => {
    const { app } = createTestApp();
    for (const method of ["put", "patch", "delete"] as const) {
      const response = await request(app)[method]("/api/orders");
      expect([response.status, response.headers["allow"]]).to.deep.equal([405, "GET, HEAD, OPTIONS, POST"]);
    }
  });

  it("of a page or a document that is not there is no address at all", async () => {
    const { app } = createTestApp();
    for (const path of ["/admin/", "/ADMIN", "/pages/", "/pages/nothing.js", "/pages/%2e%2e/app.ts"])
      expect((await request(app).get(path)).status, path).to.equal(404);
  });

  it("of a page lets it have scripts, styles and fonts in files of this origin only, and no other base", async () => {
    const { app } = createTestApp();
    const policyOf = async (path: string) =>
      (await request(app).get(path)).headers["content-security-policy"] ?? "";
    for (const path of ["/", "/admin", "/api/products", "/nothing"]) {
      const policy = await policyOf(path);
      expect(policy, path).not.to.match(/unsafe|https?:/);
      for (const part of ["default-src 'self'", "script-src 'self'", "style-src 'self'", "base-uri 'none'"])
        expect(policy.split(";"), path).to.include(part);
    }
    expect((await policyOf("/api-docs/")).split(";")).to.include("style-src 'self' 'unsafe-inline'");
    expect(await policyOf("/api-docs/")).to.include("script-src 'self';");
  });

  it("of the documents shows the page, which reads the document beside it", async () => {
    const { app } = createTestApp();
    expect((await request(app).get("/api-docs/")).text).to.contain("FlashPay API");
    expect((await request(app).get("/api-docs/swagger-ui-init.js")).text).to.contain("/api-docs.json");
    expect((await request(app).get("/api-docs.json")).body).to.have.nested.property("paths./api/orders");
  });

  it("of the documents and the metrics is closed when its setting is off", async () => {
    const { app } = createTestApp({ docs: false, metrics: false });
    for (const path of ["/api-docs", "/api-docs.json", "/metrics"])
      expect((await request(app).get(path)).status, path).to.equal(404);
  });

  it("says with every answer, also of a refusal, what browsers may make of it: TLS for a year, no guess, no frame, no referrer", async () => {
    for (const path of ["/healthz", "/api/products", "/api/nothing"]) {
      const { headers } = await request(createTestApp().app).get(path);
      expect(headers["strict-transport-security"], path).to.equal("max-age=31536000; includeSubDomains");
      expect(headers["x-content-type-options"], path).to.equal("nosniff");
      expect(headers["referrer-policy"], path).to.equal("no-referrer");
      expect(headers["content-security-policy"], path)
        .to.include("frame-ancestors 'self'")
        .and.include("object-src 'none'");
    }
  });

  it("that is asked too often hears 429, whatever X-Forwarded-For says", async () => {
    const { app } = createTestApp({ ratePerAddress: 2 });
    const ask = (from: string) => request(app).get("/api/products").set("X-Forwarded-For", from);
    const statuses = [];
    for (const from of ["1.1.1.1", "2.2.2.2", "3.3.3.3"]) statuses.push((await ask(from)).status);
    expect(statuses).to.deep.equal([200, 200, 429]);
  });

  const proxies: [string, number | readonly string[], number[]][] = [
    ["the one proxy in front", 1, [200, 200, 429]],
    ["the address of the proxy", ["127.0.0.1"], [200, 200, 429]],
    ["the network of the proxy", ["10.0.0.0/8", "127.0.0.0/8", "::1"], [200, 200, 429]],
    ["another address", ["10.0.0.5"], [200, 429, 429]],
    ["another network", ["10.0.0.0/8", "fd00::/8"], [200, 429, 429]],
  ];
  for (const [whom, trustedProxies, wanted] of proxies) {
    it(`is the last of X-Forwarded-For that no trusted proxy has (trusted: ${whom})`, async () => {
      const app = listening(createTestApp({ ratePerAddress: 1, trustedProxies }).app);
      const statuses = [];
      for (const from of ["6.6.6.6, 1.1.1.1", "6.6.6.6, 2.2.2.2", "7.7.7.7, 1.1.1.1"])
        statuses.push((await request(app).get("/api/products").set("X-Forwarded-For", from)).status);
      app.close();
      expect(statuses).to.deep.equal(wanted);
    });
  }
});
