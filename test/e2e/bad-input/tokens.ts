import { expect } from "chai";
import { edited, forge, fromNow, goodClaims, unsigned, withRawExpiry } from "../../support/tokens.ts";
import type { Shop } from "./shop.ts";

export function tokens(shop: Shop): void {
  describe("tokens (1–9)", () => {
    const secretless = (): Record<string, string | undefined> => {
      const claims = goodClaims(shop.buyer.id);
      const { jwtSecret } = shop.sandbox;
      const but = (changes: object): string => forge({ ...claims, ...changes }, jwtSecret);
      return {
        "none at all": undefined,
        "an empty one": "",
        "no token": "x",
        "alg none": unsigned(claims, "none"),
        "alg None": unsigned(claims, "None"),
        "alg HS256 without a signature": unsigned(claims, "HS256"),
        "an edited role": edited(shop.buyer.token, { role: "admin" }),
        "an edited subject": edited(shop.buyer.token, { sub: String(shop.sandbox.host.id) }),
        "HS512 by the right secret": forge(claims, jwtSecret, "HS512"),
        "HS384 by the right secret": forge(claims, jwtSecret, "HS384"),
        "expired a second ago": but({ exp: fromNow(-1) }),
        "not before the future": but({ nbf: fromNow(600) }),
        "no expiry": but({ exp: undefined }),
        "expiry never": but({ exp: "never" }),
        "expiry null": but({ exp: null }),
        "expiry 1e400": withRawExpiry(shop.buyer.id, "1e400", jwtSecret),
        "the secret secret": forge(claims, "secret"),
        "the secret changeme": forge(claims, "changeme"),
        "an empty secret": forge(claims, ""),
        "another audience": but({ aud: "another" }),
        "no audience": but({ aud: undefined }),
        "another issuer": but({ iss: "another" }),
        "no issuer": but({ iss: undefined }),
        "no id": but({ jti: undefined }),
        "no subject": but({ sub: undefined }),
        "a subject that is SQL": but({ sub: "1 OR 1=1" }),
        "subject 0": but({ sub: "0" }),
        "a role of its own making": but({ role: "root" }),
        "no role": but({ role: undefined }),
        "claims that are no object": forge('"x"', jwtSecret),
      };
    };

    it("of every bad kind are 401", async () => {
      for (const [what, token] of Object.entries(secretless())) {
        const answer = await shop.http.send("POST", "/api/orders", {
          token,
          body: { productId: shop.sale.id },
        });
        expect(answer.status, what).to.equal(401);
        shop.refused(answer, 401, "unauthenticated");
        expect(answer.headers["www-authenticate"], what).to.equal("Bearer");
        expect((await shop.http.get("/api/users/me", token)).status, what).to.equal(401);
      }
    });

    it("good ones with anything beside them are 401", async () => {
      const { token } = shop.buyer;
      const headers = [
        `Bearer ${token} ${"x".repeat(15_000)}`,
        `Bearer ${token} x`,
        `Bearer ${token}.x`,
        `Bearer ${token},${token}`,
        `Bearer  ${token}`,
        `x Bearer ${token}`,
        `Bearer ${token}${"A".repeat(15_000)}`,
      ];
      for (const Authorization of headers) {
        const ask = { body: { productId: shop.sale.id }, headers: { Authorization } };
        shop.refused(await shop.http.send("POST", "/api/orders", ask), 401, "unauthenticated");
      }
    });

    it("good ones count only in the right place", async () => {
      const body = { productId: shop.sale.id };
      const ask = (path: string, headers = {}) => shop.http.send("POST", path, { body, headers });
      shop.refused(await ask(`/api/orders?token=${shop.buyer.token}`), 401, "unauthenticated");
      shop.refused(await ask(`/api/orders?access_token=${shop.buyer.token}`), 401, "unauthenticated");
      shop.refused(await ask("/api/orders", { Cookie: `token=${shop.buyer.token}` }), 401, "unauthenticated");
      const headers = { Authorization: `Basic ${shop.buyer.token}` };
      shop.refused(await ask("/api/orders", headers), 401, "unauthenticated");
    });
  });

  describe("roles and other people's things (11–12)", () => {
    it("a user is no admin, by whatever header", async () => {
      const body = { title: "Mine", price: 1, stock: 1, startTime: new Date().toISOString() };
      for (const headers of [{}, { "X-HTTP-Method-Override": "GET" }, { "X-Role": "admin" }]) {
        const ask = { token: shop.buyer.token, body, headers };
        shop.refused(await shop.http.send("POST", "/api/products", ask), 403, "forbidden");
      }
      const override = { token: shop.buyer.token, headers: { "X-HTTP-Method-Override": "POST" } };
      const list = await shop.http.send("GET", "/api/products", override);
      expect(list.status).to.equal(200);
      shop.refused(
        await shop.http.get(`/api/settlements/products/${shop.sale.id}`, shop.buyer.token),
        403,
        "forbidden",
      );
    });

    it("?userId= of somebody else is refused", async () => {
      for (const path of ["/api/orders", "/api/settlements"])
        shop.refused(
          await shop.http.get(`${path}?userId=${shop.other.id}`, shop.buyer.token),
          400,
          "validation_failed",
        );
    });
  });
}
