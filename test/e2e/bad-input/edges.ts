import { randomUUID } from "node:crypto";
import { expect } from "chai";
import { codeOf, orderOf, saleOf, userOf } from "../../support/bodies.ts";
import { inParallel } from "../../support/http-client.ts";
import type { Shop } from "./shop.ts";

const HOUR_MS = 3_600_000;

export function edges(shop: Shop): void {
  it("no unit is left: sold_out at once, and no message (19)", async () => {
    const one = await shop.sandbox.openSale(shop.http, { stock: 1 });
    expect((await shop.http.post("/api/orders", { productId: one.id }, shop.other.token)).status).to.equal(
      202,
    );
    const before = await shop.sandbox.ends();
    shop.refused(await shop.order({ productId: one.id }), 409, "sold_out");
    expect(await shop.sandbox.ends()).to.equal(before);
  });

  it("sales that are not open yet, or over (20)", async () => {
    const soon = await shop.sandbox.openSale(shop.http, { stock: 1, startTime: Date.now() + HOUR_MS });
    shop.refused(await shop.order({ productId: soon.id }), 409, "sale_not_open");
    const over = await shop.sandbox.openSale(shop.http, {
      stock: 1,
      startTime: Date.now() - 2 * HOUR_MS,
      endTime: Date.now() - HOUR_MS,
    });
    shop.refused(await shop.order({ productId: over.id }), 409, "sale_closed");
    expect([soon.state, over.state]).to.deep.equal(["scheduled", "closed"]);
  });

  it("the window is [start, end), to the millisecond (20, 21)", async () => {
    const [start, end] = [Date.now() + 400, Date.now() + 800];
    const brief = await shop.sandbox.openSale(shop.http, {
      stock: 10_000,
      perUserLimit: 100,
      startTime: start,
      endTime: end,
    });
    const crowd = await shop.sandbox.users(20);
    const heard = new Map<string, number>();
    await inParallel(crowd, crowd.length, async ({ token }) => {
      for (;;) {
        const answer = await shop.http.post("/api/orders", { productId: brief.id }, token);
        const code = codeOf(answer);
        heard.set(code, (heard.get(code) ?? 0) + 1);
        if (answer.status === 202) {
          expect(Date.parse(orderOf(answer).acceptedAt)).to.be.within(start, end - 1);
        }
        if (code === "sale_closed") return;
        expect(code).to.be.oneOf(["sale_not_open", "status 202", "limit_exceeded"]);
      }
    });
    expect(heard.get("status 202")).to.be.greaterThan(20);
    expect(heard.get("sale_not_open")).to.be.greaterThan(0);
  });

  it("fifty parallel orders over a limit of one: one 202, 49 × 409 (22, 23)", async () => {
    const one = await shop.sandbox.openSale(shop.http, { stock: 100 });
    const answers = await Promise.all(Array.from({ length: 50 }, () => shop.order({ productId: one.id })));
    const codes = answers.map(codeOf);
    expect(codes.filter((code) => code === "status 202")).to.have.length(1);
    for (const code of codes) expect(code).to.be.oneOf(["status 202", "order_in_progress", "limit_exceeded"]);
    expect(saleOf(await shop.http.get(`/api/products/${one.id}`)).stockLeft).to.equal(99);
  });

  it("fifty parallel copies under one key: one order (27)", async () => {
    const one = await shop.sandbox.openSale(shop.http, { stock: 100, perUserLimit: 50 });
    const headers = { "Idempotency-Key": randomUUID() };
    const ask = () => shop.order({ productId: one.id }, headers);
    const answers = await Promise.all(Array.from({ length: 50 }, ask));
    const accepted = answers.filter(({ status }) => status === 202);
    expect(new Set(accepted.map(({ text }) => text)).size).to.equal(1);
    for (const code of answers.map(codeOf)) expect(code).to.be.oneOf(["status 202", "order_in_progress"]);
    expect(saleOf(await shop.http.get(`/api/products/${one.id}`)).stockLeft).to.equal(99);
  });

  it("passwords are kept to the letter (39)", async () => {
    for (const password of [
      "  blanks around it  ",
      "👾".repeat(18),
      "é".repeat(36),
      "x".repeat(3) + "Y1%&/()=",
    ]) {
      const username = `kept-${randomUUID().slice(0, 8)}`;
      const account = { username, email: `${username}@example.com`, password };
      expect((await shop.http.post("/api/users/signup", account)).status, password).to.equal(201);
      expect((await shop.http.post("/api/users/login", { username, password })).status).to.equal(200);
      for (const wrong of [password.trim().slice(0, -1), `${password}x`, ` ${password}`])
        shop.refused(
          await shop.http.post("/api/users/login", { username, password: wrong }),
          401,
          "unauthenticated",
        );
    }
  });

  it("one e-mail, one name, whatever the case (38, 40)", async () => {
    const username = `Mixed-${randomUUID().slice(0, 8)}`;
    const account = { username, email: `${username}@Example.COM`, password: "correct horse battery" };
    const made = userOf(await shop.http.post("/api/users/signup", account));
    expect([made.email, made.role]).to.deep.equal([account.email.toLowerCase(), "user"]);
    const taken = {
      ...account,
      username: `x-${randomUUID().slice(0, 8)}`,
      email: account.email.toUpperCase(),
    };
    shop.refused(await shop.http.post("/api/users/signup", taken), 409, "email_taken");
    const sameName = { ...account, username: username.toLowerCase(), email: `${randomUUID()}@example.com` };
    shop.refused(await shop.http.post("/api/users/signup", sameName), 409, "username_taken");
  });
}
