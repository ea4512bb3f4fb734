import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect } from "chai";
import { Router, type Express, type RequestHandler } from "express";
import { orderIdOf, SALE_START, sampleOrder } from "../../shared/testing/samples.ts";
import { createHttpClient, type Answer, type HttpClient } from "../../test/support/http-client.ts";
import { servedRoutes, stepsOf, type ServedRoute } from "../../test/support/served-routes.ts";
import { createTestApp } from "../app.test.ts";

/**
 * Who may do what, for each route that the router really has: the status that a visitor, a user that has nothing to do with
 * the thing, the user whose thing it is, and an administrator hear for a good request.
 */
const MATRIX: Readonly<
  Record<string, readonly [nobody: number, other: number, owner: number, admin: number]>
> = {
  "get /healthz": [200, 200, 200, 200],
  "get /readyz": [200, 200, 200, 200],
  "get /metrics": [200, 200, 200, 200],
  "get /api-docs.json": [200, 200, 200, 200],
  "get /api-docs/{file}": [200, 200, 200, 200],
  "get /": [200, 200, 200, 200],
  "get /admin": [200, 200, 200, 200],
  "get /pages/{file}": [200, 200, 200, 200],
  "post /api/users/signup": [201, 201, 201, 201],
  "post /api/users/login": [200, 200, 200, 200],
  "post /api/users/logout": [401, 204, 204, 204],
  "post /api/users/logout-all": [401, 204, 204, 204],
  "get /api/users/me": [401, 200, 200, 200],
  "get /api/products": [200, 200, 200, 200],
  "post /api/products": [401, 403, 403, 201],
  "get /api/products/{id}": [200, 200, 200, 200],
  "patch /api/products/{id}": [401, 403, 403, 200],
  "get /api/orders": [401, 200, 200, 200],
  "post /api/orders": [401, 202, 202, 202],
  "get /api/orders/{id}": [401, 404, 200, 200],
  "get /api/orders/{id}/events": [401, 404, 200, 200],
  "get /api/settlements": [401, 200, 200, 200],
  "get /api/settlements/latest": [401, 404, 200, 200],
  "get /api/settlements/total": [401, 200, 200, 200],
  "get /api/settlements/export": [401, 403, 403, 200],
  "get /api/settlements/exports/{id}": [401, 403, 403, 200],
  "get /api/settlements/daily": [401, 403, 403, 200],
  "get /api/settlements/users/{userId}": [401, 404, 200, 200],
  "get /api/settlements/users/{userId}/total": [401, 404, 200, 200],
  "get /api/settlements/users/{userId}/latest": [401, 404, 200, 200],
  "get /api/settlements/products/{productId}": [401, 403, 403, 200],
  "get /api/settlements/products/{productId}/total": [401, 403, 403, 200],
  "get /api/settlements/products/{productId}/latest": [401, 403, 403, 200],
  "get /api/admin/dead-letters": [401, 403, 403, 200],
  "get /api/admin/dead-letters/{id}": [401, 403, 403, 200],
  "post /api/admin/dead-letters/{id}/replay": [401, 403, 403, 202],
  "post /api/admin/dead-letters/{id}/discard": [401, 403, 403, 200],
  "post /api/admin/products/{id}/reconcile": [401, 403, 403, 200],
  "get /api/admin/audit": [401, 403, 403, 200],
  "get /api/admin/consistency": [401, 403, 403, 200],
  "get /api/admin/live": [401, 403, 403, 200],
};
/** What a request passes beside its route, in this order: whatever else is put there could answer it. */
const STEPS = [
  "request log",
  "security headers",
  "limit per address",
  "load shedding",
  "not found",
  "errors",
];
const ROLES = ["nobody", "other", "owner", "admin"] as const;
type Role = (typeof ROLES)[number];
const METHODS = ["get", "post", "put", "patch", "delete", "options", "head", "trace"];

const BODIES: Readonly<Record<string, object>> = {
  "post /api/users/signup": {
    username: "new-user",
    email: "new@example.com",
    password: "correct horse battery",
  },
  "post /api/users/login": { username: "user1", password: "password1" },
  "post /api/products": { title: "A sale", price: 1, stock: 1, startTime: "2027-01-01T09:00:00.000Z" },
  "patch /api/products/{id}": { title: "Another title" },
  "post /api/orders": { productId: 1 },
  "post /api/admin/dead-letters/{id}/discard": { reason: "a test" },
};
const OWNED = orderIdOf(1);
const EXPORTED = orderIdOf(2);

const KNOWN_PATHS = Object.keys(MATRIX).map((name) => name.split(" ")[1]!);
const routesOf = (app: Express) => servedRoutes(app, KNOWN_PATHS);
const servedOf = (app: Express, name: string) =>
  routesOf(app).find((served) => served.name === name) as ServedRoute;
const addressOf = (path: string) =>
  path
    .replace("/orders/{id}", `/orders/${OWNED}`)
    .replace("/exports/{id}", `/exports/${EXPORTED}`)
    .replace("/pages/{file}", "/pages/icon.svg")
    .replace("/api-docs/{file}", "/api-docs/swagger-ui.css")
    .replace("{id}", "1")
    .replace("{userId}", "1")
    .replace("{productId}", "1");

/** A shop in which user 1 has an order with a settlement, user 2 has nothing, and a dead letter waits. */
async function openShop() {
  const shop = createTestApp();
  const { tables } = shop.database;
  await shop.openSale();
  const order = sampleOrder({ orderId: OWNED });
  tables.orders.set(OWNED, { ...order, status: "SUCCESS", failReason: null, decidedAt: SALE_START });
  tables.settlements.set(OWNED, {
    ...{ id: 1, orderId: OWNED, userId: 1, productId: 1, type: "charge" },
    ...{ amount: 99_000, currency: "KRW", settledAt: SALE_START },
  });
  tables.totals.set("product:1:KRW", { currency: "KRW", count: 1, amount: 99_000 });
  await shop.administration.audit.record({
    ...{
      adminId: 3,
      action: "settlements.export",
      target: `export:${EXPORTED}`,
      outcome: "done",
      before: {},
    },
    after: { takenAt: SALE_START, count: 0, firstId: null, lastId: null, totals: [], bytes: 0, sha256: "" },
  });
  shop.administration.park(1, { value: Buffer.from("{}") });
  return shop;
}
type Shop = Awaited<ReturnType<typeof openShop>>;

const tokenOf = ({ bearer }: Shop, role: Role): string | undefined => {
  if (role === "nobody") return undefined;
  const [id, as] = { other: [2, "user"], owner: [1, "user"], admin: [3, "admin"] }[role] as [number, "user"];
  return bearer(id, as).replace("Bearer ", "");
};

/** The shop behind a server of its own, for as long as `work` takes. */
async function serving<T>(shop: Shop, work: (http: HttpClient) => Promise<T>): Promise<T> {
  const server = createServer(shop.app).listen(0, "127.0.0.1");
  await once(server, "listening");
  const http = createHttpClient(`http://127.0.0.1:${String((server.address() as AddressInfo).port)}`);
  try {
    return await work(http);
  } finally {
    server.close();
    server.closeAllConnections();
    http.close();
  }
}

function ask(http: HttpClient, method: string, path: string, token: string | undefined): Promise<Answer> {
  const body = BODIES[`${method} ${path}`];
  return http.send(method.toUpperCase(), addressOf(path), { token, ...(body && { body }) });
}

/** What one cell of the matrix really says, on a shop of its own that `change` may have spoilt. */
async function statusOf(
  name: string,
  role: Role,
  change: (shop: Shop) => void = () => undefined,
): Promise<number> {
  const shop = await openShop();
  change(shop);
  const [method = "", path = ""] = name.split(" ");
  return (await serving(shop, (http) => ask(http, method, path, tokenOf(shop, role)))).status;
}

describe("the matrix of roles, routes and methods", function () {
  this.timeout(60_000);

  it("has a row for each route that is served, and for none that is not", async () => {
    const served = routesOf((await openShop()).app).map(({ name }) => name);
    expect(served.toSorted()).to.deep.equal(Object.keys(MATRIX).toSorted());
  });

  it("has no other step than those that are listed, at no address", async () => {
    expect(stepsOf((await openShop()).app, KNOWN_PATHS)).to.deep.equal(STEPS);
  });

  it("lets nobody but administrators reach anything below /api/admin", () => {
    for (const [name, row] of Object.entries(MATRIX))
      if (name.includes("/api/admin")) expect(row.slice(0, 3), name).to.deep.equal([401, 403, 403]);
  });

  for (const [name, row] of Object.entries(MATRIX)) {
    it(`${name}: ${ROLES.map((role, n) => `${role} ${row[n] ?? ""}`).join(", ")}`, async () => {
      expect(await Promise.all(ROLES.map((role) => statusOf(name, role)))).to.deep.equal([...row]);
    });
  }

  for (const path of new Set(KNOWN_PATHS)) {
    const served = METHODS.filter((method) => Object.hasOwn(MATRIX, `${method} ${path}`));
    const allowed = [...served, ...(served.includes("get") ? ["head"] : []), "options"];
    const allow = allowed
      .map((method) => method.toUpperCase())
      .toSorted()
      .join(", ");

    it(`${path}: no other method is served, whoever asks`, async () => {
      const shop = await openShop();
      await serving(shop, async (http) => {
        for (const method of METHODS.filter((one) => !served.includes(one) && one !== "head"))
          for (const role of ROLES) {
            const { status, headers } = await ask(http, method, path, tokenOf(shop, role));
            const expected = method === "options" ? [204, allow] : [405, allow];
            expect([status, headers.allow], `${method} as ${role}`).to.deep.equal(expected);
          }
      });
    });

    it(`${path}: HEAD says what GET says, without its body`, async () => {
      const shop = await openShop();
      const row = MATRIX[`get ${path}`] ?? [405, 405, 405, 405];
      await serving(shop, async (http) => {
        for (const [n, role] of ROLES.entries()) {
          const { status, text } = await ask(http, "head", path, tokenOf(shop, role));
          expect([status, text], role).to.deep.equal([row[n], ""]);
        }
      });
    });
  }
});

describe("a list", () => {
  it("shows a user nothing of another's", async () => {
    const shop = await openShop();
    const lists = async (role: Role) =>
      await Promise.all(
        ["/api/orders", "/api/settlements"].map(async (path) => {
          const { text } = await serving(shop, (http) => http.get(path, tokenOf(shop, role)));
          return (JSON.parse(text) as { data: unknown[] }).data.length;
        }),
      );
    expect(await lists("owner")).to.deep.equal([1, 1]);
    expect(await lists("other")).to.deep.equal([0, 0]);
  });
});

describe("the matrix can fail:", function () {
  this.timeout(60_000);

  /** Takes one step out of a route of a built app; `authenticate` is the first of a guarded route, the role the second. */
  const without = (name: string, step: number) => (shop: Shop) => {
    const { route, method } = servedOf(shop.app, name);
    const place = route.stack.findIndex((one) => one.method === method) + step;
    route.stack.splice(place, 1);
  };

  for (const [name, [nobody, , owner]] of Object.entries(MATRIX)) {
    if (nobody !== 401) continue;
    it(`${name} that has lost its first guard lets nobody in, not even whom it should`, async () => {
      for (const role of ROLES) expect(await statusOf(name, role, without(name, 0)), role).to.equal(401);
    });
    if (owner !== 403) continue;
    it(`${name} that has lost its role is open to every user`, async () => {
      expect(await statusOf(name, "owner", without(name, 1))).not.to.equal(owner);
    });
  }

  const answer: RequestHandler = (_req, res) => void res.json({});
  const doors: Readonly<Record<string, [open: (app: Express) => unknown, seenAs: string]>> = {
    "on the application itself": [(app) => app.get("/api/door", answer), "get /api/door"],
    "of a router in a router": [
      (app) => app.use("/api/admin", Router().use("/audit", Router().get("/door", answer))),
      "get /api/admin/audit/door",
    ],
    "for every method": [
      (app) => app.use("/api/orders", Router().all("/door", answer)),
      "all /api/orders/door",
    ],
    "for every method, behind those of a path": [
      (app) => servedOf(app, "get /api/orders").route.stack.push({ handle: answer }),
      "all /api/orders",
    ],
  };
  for (const [what, [open, seenAs]] of Object.entries(doors)) {
    it(`a route ${what} stands in the router's list`, async () => {
      const { app } = await openShop();
      const before = routesOf(app).map(({ name }) => name);
      open(app);
      const added = routesOf(app).filter(({ name }) => !before.includes(name));
      expect(added.map(({ name }) => name)).to.deep.equal([seenAs]);
    });
  }

  it("a handler that is no route stands among the steps, with its address or without", async () => {
    const { app } = await openShop();
    app.use("/api/admin", answer);
    app.use("/door", answer);
    app.use(answer);
    app.use(Router().use("/api/users", (_req, res) => void res.json({})));
    expect(stepsOf(app, KNOWN_PATHS)).to.deep.equal([
      ...STEPS,
      "use /api/admin answer",
      "use unknown mount:  answer",
      "answer",
      "use /api/users anonymous",
    ]);
  });

  it("a route that no row knows stands in the router's list", async () => {
    const { app } = await openShop();
    const served = routesOf(app);
    expect(served.map(({ name }) => name)).not.to.include("delete /api/orders");
    const { route } = served.find(({ path }) => path === "/api/orders")!;
    route.stack.push({ method: "delete", handle: () => undefined });
    expect(routesOf(app).map(({ name }) => name)).to.include("delete /api/orders");
  });
});
