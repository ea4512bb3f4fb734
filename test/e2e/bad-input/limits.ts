import { randomUUID } from "node:crypto";
import { expect } from "chai";
import type { Program } from "../../../tools/stack/programs.ts";
import { saleOf } from "../../support/bodies.ts";
import { inParallel, type Answer, type HttpClient } from "../../support/http-client.ts";
import { until } from "../../support/until.ts";
import type { Shop } from "./shop.ts";

export function limits(shop: Shop): void {
  describe("comes in bounded numbers:", () => {
    let limited: Program;
    let client: HttpClient;

    before(async () => {
      limited = await shop.sandbox.start("api", {
        name: "api-limited",
        env: {
          RATE_LIMIT_PER_ADDRESS: "60",
          RATE_LIMIT_ORDERS_PER_USER: "5",
          LOGIN_FAILURES_PER_ACCOUNT: "10",
          LOGIN_FAILURES_PER_ADDRESS: "15",
        },
      });
      client = shop.sandbox.client(limited);
    });
    // Tries are counted in Redis, by all processes: what others made of them does not count here.
    beforeEach(async () => {
      await shop.sandbox.redis.del("none", ...(await shop.sandbox.redis.keys("rate:*")));
    });

    const tooMany = (answer: Answer): void => {
      shop.refused(answer, 429, "too_many_requests");
      expect(Number(answer.headers["retry-after"])).to.be.within(1, 60);
    };
    /** The window of a second is over, and the next one is fresh. */
    const calm = () =>
      until(
        "the limit is lifted",
        async () => (await client.get("/api/products?limit=1")).status === 200,
        3_000,
        200,
      );

    it("of one address, whatever X-Forwarded-For says (35)", async () => {
      const asks = Array.from({ length: 150 }, (_, i) => `10.0.0.${i}`);
      const answers = await inParallel(asks, 32, (address) =>
        client.send("GET", "/api/products?limit=1", { headers: { "X-Forwarded-For": address } }),
      );
      const refusals = answers.filter(({ status }) => status === 429);
      expect(refusals.length).to.be.greaterThan(20);
      for (const answer of refusals) tooMany(answer);
      expect((await client.get("/healthz")).status, "health is never refused").to.equal(200);
      await calm();
    });

    it("of one user's orders", async () => {
      const one = await shop.sandbox.openSale(shop.http, { stock: 100, perUserLimit: 100 });
      const [busy] = await shop.sandbox.users(1);
      const answers = await inParallel(
        Array.from({ length: 20 }, (_, i) => i),
        1,
        () => client.post("/api/orders", { productId: one.id }, busy!.token),
      );
      const refusals = answers.filter(({ status }) => status === 429);
      expect(refusals.length).to.be.greaterThan(5);
      for (const answer of refusals) tooMany(answer);
      const taken = 100 - saleOf(await shop.http.get(`/api/products/${one.id}`)).stockLeft;
      expect(taken).to.equal(answers.filter(({ status }) => status === 202).length);
      await calm();
    });

    it("of wrong log-ins on one account, from wherever (36)", async () => {
      const { username } = shop.other;
      const right = { username, password: "seeded horse battery" };
      expect((await client.post("/api/users/login", right)).status).to.equal(200);
      const spread = await shop.sandbox.start("api", {
        name: "api-spread",
        env: { LOGIN_FAILURES_PER_ACCOUNT: "10", TRUST_PROXY: "1" },
      });
      const elsewhere = shop.sandbox.client(spread);
      for (let i = 0; i < 11; i += 1) {
        const answer = await elsewhere.send("POST", "/api/users/login", {
          body: { username: i % 2 ? username : username.toUpperCase(), password: "wrong password" },
          headers: { "X-Forwarded-For": `10.1.1.${i}` },
        });
        if (i < 10) shop.refused(answer, 401, "unauthenticated");
        else tooMany(answer);
      }
      const from = (address: string) => ({ body: right, headers: { "X-Forwarded-For": address } });
      tooMany(await elsewhere.send("POST", "/api/users/login", from("10.2.2.2")));
      const owner = await elsewhere.post("/api/users/login", right);
      expect(owner.status, "where the owner has logged in before").to.equal(200);
      const stranger = { username: shop.buyer.username, password: "seeded horse battery" };
      expect((await elsewhere.post("/api/users/login", stranger)).status, "another account").to.equal(200);
      await shop.sandbox.redis.del(...(await shop.sandbox.redis.keys("rate:login-account*")));
      const later = await elsewhere.send("POST", "/api/users/login", from("10.2.2.2"));
      expect(later.status, "a minute later").to.equal(200);
      await spread.stop();
    });

    it("of wrong log-ins, and taken names, from one address (36, 38)", async () => {
      for (let i = 0; i < 16; i += 1) {
        const body = { username: `nobody-${randomUUID()}`, password: "wrong password" };
        const answer = await client.post("/api/users/login", body);
        if (i < 15) shop.refused(answer, 401, "unauthenticated");
        else tooMany(answer);
      }
      for (let i = 0; i < 16; i += 1) {
        const body = {
          username: shop.buyer.username,
          email: `${randomUUID()}@example.com`,
          password: "correct horse battery",
        };
        const answer = await client.post("/api/users/signup", body);
        if (i < 15) shop.refused(answer, 409, "username_taken");
        else tooMany(answer);
      }
    });
  });
}
