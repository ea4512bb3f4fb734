import { expect } from "chai";
import { Registry } from "prom-client";
import request from "supertest";
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
import { createAuthenticate, createTokenIssuer } from "./middleware/authenticate.ts";
import { createAccountService } from "./services/account-service.ts";
import { createConsistencyService } from "./services/consistency-service.ts";
import { createDeadLetterService } from "./services/dead-letter-service.ts";
import { createOrderQueryService } from "./services/order-query-service.ts";
import { createOrderService } from "./services/order-service.ts";
import { createProductService } from "./services/product-service.ts";
import { createReconcileService } from "./services/reconcile-service.ts";
import { createSettlementService } from "./services/settlement-service.ts";

export const SECRET = "b8f1d3a5c79e2460b8f1d3a5c79e2460-Zx";

/** The whole API on fakes. User 1 and 2 are users, 3 is an administrator; product 1 is open. */
export function createTestApp(settings: Partial<AppDependencies["settings"]> = {}) {
  const clock = createFakeClock();
  const database = createFakeDatabase(clock.now);
  const stock = createFakeStockStore(clock.now);
  const claims = createFakeOrderClaims(clock.now);
  const events = createFakeOrderEvents((order) => void stock.markPublished([order]));
  const revocations = createFakeRevocations();
  const log = createLogRecorder();
  const { products, store } = database;
  const administration = createFakeAdministration(database.tables, clock.now);
  const nothing = async () => undefined;
  database.tables.users
    .set(1, sampleUser(1))
    .set(2, sampleUser(2))
    .set(3, sampleUser(3, { role: "admin" }));
  database.tables.products.set(1, sampleProduct());
  const tokens = createTokenIssuer(SECRET, 1_800);
  const app = createApp({
    log,
    registry: new Registry(),
    checks: { redis: () => true },
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
        startLogin: nothing,
        loginFailed: nothing,
        loginSucceeded: nothing,
        checkSignup: nothing,
        signupConflicted: nothing,
      },
      log,
    }),
    products: createProductService({ products, stock, epochs: createFakeStockEpochs(), log, now: clock.now }),
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
    settlements: createSettlementService(database.settlementReader),
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
    settings: {
      ratePerAddress: 100_000,
      orderRatePerUser: 100_000,
      trustedProxies: 0,
      docs: true,
      metrics: true,
      ...settings,
    },
  });
  return { app, clock, database, administration, stock, claims, events, revocations, log, bearer, openSale };

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
    const { app, bearer, openSale, stock } = createTestApp({ orderRatePerUser: 1 });
    await openSale({ perUserLimit: 5 });
    const place = () =>
      request(app).post("/api/orders").set("Authorization", bearer(1)).send({ productId: 1 });
    const [first, second] = [await place(), await place()];
    expect([first.status, second.status]).to.deep.equal([202, 429]);
    expect(second.headers["retry-after"]).to.equal("1");
    expect(stock.leftOf(1)).to.equal(9);
  });
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
    "/",
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

  it("allows no other origin", async () => {
    const response = await request(createTestApp().app)
      .get("/api/products")
      .set("Origin", "https://evil.example");
    expect(response.headers).not.to.have.property("access-control-allow-origin");
  });

  it("that is asked too often hears 429, whatever X-Forwarded-For says", async () => {
    const { app } = createTestApp({ ratePerAddress: 2 });
    const ask = (from: string) => request(app).get("/api/products").set("X-Forwarded-For", from);
    const statuses = [];
    for (const from of ["1.1.1.1", "2.2.2.2", "3.3.3.3"]) statuses.push((await ask(from)).status);
    expect(statuses).to.deep.equal([200, 200, 429]);
  });
});
