import { randomUUID } from "node:crypto";
import { expect } from "chai";
import type { Shop } from "./shop.ts";

export function addresses(shop: Shop): void {
  describe("queries, paths, methods (34, 41, 42, 45)", () => {
    for (const query of [
      ...[
        "sort=id;DROP TABLE users",
        "sort=(SELECT 1)",
        "order=DESC--",
        "filter[where]=1",
        "limit=-1",
        "limit=0",
        "limit=101",
      ],
      ...[
        "limit=1e9",
        "limit=abc",
        "limit=10&limit=20",
        "limit[]=1",
        "limit=%00",
        "page=99999999999",
        "offset=1",
        "cursor=x",
      ],
      ...[
        "cursor=",
        "cursor=e30",
        "cursor=WzFd",
        "cursor=-1",
        "cursor[$gt]=1",
        `cursor=${"A".repeat(500)}`,
        "__proto__[x]=1",
      ],
      ...["limit=%E0%A4%A", "constructor=1"],
    ]) {
      it(`?${query.slice(0, 40)}`, async () => {
        const asked = query.replaceAll(" ", "%20");
        for (const path of ["/api/orders", "/api/products", "/api/settlements"])
          shop.refused(await shop.http.get(`${path}?${asked}`, shop.buyer.token), 400, "validation_failed");
      });
    }

    it("?status= and ?productId= that are none", async () => {
      for (const query of [
        "status=DONE",
        "status=success",
        "status=",
        "productId=x",
        "productId=0",
        "productId=-1",
      ])
        shop.refused(await shop.http.get(`/api/orders?${query}`, shop.buyer.token), 400, "validation_failed");
    });

    for (const id of [
      "x",
      "0",
      "-1",
      "1.5",
      "1e3",
      "%20",
      "1%20OR%201=1",
      "9007199254740993",
      "%00",
      "0x10",
      "01",
    ]) {
      it(`/${id} as an id`, async () => {
        for (const [path, token] of [
          [`/api/products/${id}`, undefined],
          [`/api/settlements/users/${id}`, shop.buyer.token],
          [`/api/settlements/products/${id}/total`, shop.sandbox.host.token],
        ] as const)
          shop.refused(await shop.http.get(path, token), 400, "validation_failed");
      });
    }

    it("an order id that is none", async () => {
      for (const id of ["1", "x", randomUUID(), `${randomUUID()}x`, "%27", "a".repeat(500)])
        shop.refused(await shop.http.get(`/api/orders/${id}`, shop.buyer.token), 400, "validation_failed");
    });

    it("a path that is no path", async () => {
      const answer = await shop.http.get("/api/products/%E0%A4%A");
      shop.refused(answer, 400, "validation_failed");
    });

    it("another origin gets no leave to read", async () => {
      const headers = { Origin: "https://evil.example", "Access-Control-Request-Method": "POST" };
      for (const method of ["GET", "OPTIONS"]) {
        const answer = await shop.http.send(method, "/api/products", { headers });
        expect(answer.headers).to.not.have.any.keys(
          "access-control-allow-origin",
          "access-control-allow-credentials",
        );
      }
    });

    it("methods that are not served", async () => {
      for (const method of ["TRACE", "PUT", "PATCH", "DELETE", "PROPFIND"])
        shop.refused(await shop.http.send(method, "/api/orders"), 405, "method_not_allowed");
      expect((await shop.http.send("HEAD", "/api/users/login")).status).to.equal(405);
    });

    it("addresses that are not there", async () => {
      for (const path of [
        ...[
          "/orders/../admin",
          "/api/orders/../../admin",
          "/api/%2e%2e/admin",
          "//api/orders",
          "/api//orders",
          "/API",
        ],
        ...[
          "/.env",
          "/.git/config",
          "/admin/users",
          "/index.php",
          "/api",
          "/api/admin",
          "/package.json",
          "/api/users/1",
        ],
      ])
        shop.refused(await shop.http.get(path, shop.buyer.token), 404, "not_found");
    });

    it("tells nothing of what it is made of", async () => {
      const { headers } = await shop.http.get("/api/products");
      expect(headers).to.not.have.any.keys("x-powered-by", "server");
    });
  });
}
