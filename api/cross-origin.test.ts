import { expect } from "chai";
import { request } from "../test/support/checked-request.ts";
import { createTestApp } from "./app.test.ts";

const SHOP = "https://shop.example";
const ADMIN = "https://admin.example:8443";
const corsOrigins = [SHOP, ADMIN];
const ROUTES = [
  "/api/orders",
  "/api/orders/019a0b6c-7b1e-7c3a-9f52-6d8a3c1e4b70/events",
  "/api/products/1",
  "/api/users/login",
  "/api/admin/audit",
  "/healthz",
  "/api/nothing",
];
const STRANGERS = [
  "https://evil.example",
  "http://shop.example",
  "https://shop.example.evil.example",
  "https://evil-shop.example",
  "https://shop.example:444",
  "https://SHOP.example",
  "null",
  "*",
];

type Headers = Readonly<Record<string, string>>;
const corsIn = (headers: Headers) => Object.keys(headers).filter((name) => name.startsWith("access-control"));

function preflight({ app }: ReturnType<typeof createTestApp>, path: string, origin: string) {
  return request(app)
    .options(path)
    .set("Origin", origin)
    .set("Access-Control-Request-Method", "POST")
    .set("Access-Control-Request-Headers", "authorization, content-type, idempotency-key");
}

describe("a page of another origin", () => {
  it("is told nothing when no origin is allowed", async () => {
    const scene = createTestApp();
    for (const path of ROUTES) {
      const answers = [
        await request(scene.app).get(path).set("Origin", SHOP),
        await preflight(scene, path, SHOP),
      ];
      for (const { headers } of answers) {
        expect(corsIn(headers), path).to.deep.equal([]);
        expect(headers, path).not.to.have.property("vary");
      }
    }
  });

  for (const path of ROUTES) {
    it(`that is allowed may ask before it calls ${path}`, async () => {
      for (const origin of corsOrigins) {
        const { status, text, headers } = await preflight(createTestApp({ corsOrigins }), path, origin);
        expect([status, text]).to.deep.equal([204, ""]);
        expect(headers).to.include({
          "access-control-allow-origin": origin,
          "access-control-allow-methods": "GET,HEAD,PATCH,POST",
          "access-control-allow-headers":
            "Authorization,Content-Type,Idempotency-Key,Last-Event-ID,traceparent",
          "access-control-max-age": "7200",
          vary: "Origin",
        });
        expect(headers).not.to.have.property("access-control-allow-credentials");
        expect(headers).not.to.have.property("content-length");
      }
    });
  }

  for (const origin of STRANGERS) {
    it(`that is not allowed (${origin}) gets no header, whether it asks or calls`, async () => {
      const scene = createTestApp({ corsOrigins });
      const asked = await preflight(scene, "/api/products", origin);
      const called = await request(scene.app).get("/api/products").set("Origin", origin);
      expect([asked.status, called.status]).to.deep.equal([204, 200]);
      for (const { headers } of [asked, called]) {
        expect(corsIn(headers)).to.deep.equal([]);
        expect(headers).to.include({ vary: "Origin" });
      }
    });
  }

  it("places an order and reads where it is, and its limits", async () => {
    const { app, bearer, openSale } = createTestApp({ corsOrigins });
    await openSale();
    const { status, headers } = await request(app)
      .post("/api/orders")
      .set("Origin", SHOP)
      .set("Authorization", bearer(1))
      .send({ productId: 1 });
    expect(status).to.equal(202);
    expect(headers).to.include({
      "access-control-allow-origin": SHOP,
      "access-control-expose-headers": "Location,Retry-After,RateLimit,RateLimit-Policy,Idempotent-Replayed",
      vary: "Origin",
    });
    const stream = await request(app)
      .head(`${headers["location"] ?? ""}/events`)
      .set("Origin", SHOP)
      .set("Authorization", bearer(1));
    expect(stream.headers).to.include({ "access-control-allow-origin": SHOP, vary: "Origin" });
  });

  it("may read why it was refused: no token, no such address, too often, too much to do", async () => {
    const asks = [
      [401, createTestApp({ corsOrigins }), "/api/orders"],
      [404, createTestApp({ corsOrigins }), "/api/nothing"],
      [429, createTestApp({ corsOrigins, ratePerAddress: 0 }), "/api/products"],
      [503, createTestApp({ corsOrigins, load: "late" }), "/api/products"],
    ] as const;
    for (const [wanted, { app }, path] of asks) {
      const { status, headers } = await request(app).get(path).set("Origin", SHOP);
      expect([status, headers["access-control-allow-origin"]]).to.deep.equal([wanted, SHOP]);
    }
  });

  it("asks before an order also while the process is very late, and is not counted for asking", async () => {
    const late = await preflight(createTestApp({ corsOrigins, load: "very_late" }), "/api/orders", SHOP);
    expect(late.status).to.equal(204);
    const scene = createTestApp({ corsOrigins, ratePerAddress: 1 });
    for (let i = 0; i < 3; i += 1) expect((await preflight(scene, "/api/orders", SHOP)).status).to.equal(204);
    expect((await request(scene.app).get("/api/products").set("Origin", SHOP)).status).to.equal(200);
  });
});

describe("OPTIONS that is no preflight", () => {
  it("says what an address serves, with or without origins that are allowed", async () => {
    for (const { app } of [createTestApp(), createTestApp({ corsOrigins })]) {
      for (const origin of [SHOP, undefined]) {
        const asking = request(app).options("/api/orders");
        const { status, headers } = await (origin ? asking.set("Origin", origin) : asking);
        expect([status, headers["allow"]]).to.deep.equal([204, "GET, HEAD, OPTIONS, POST"]);
      }
      expect((await request(app).options("/api/nothing")).status).to.equal(404);
    }
  });
});
