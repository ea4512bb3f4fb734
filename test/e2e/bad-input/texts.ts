import { expect } from "chai";
import { problemOf, saleOf } from "../../support/bodies.ts";
import { inParallel, type Answer, type Ask } from "../../support/http-client.ts";
import { BIG_LIST, NAUGHTY_STRINGS, percent } from "../../support/naughty-strings.ts";
import { AS_JSON, INSIDE, type Shop } from "./shop.ts";

type Asked = readonly [method: string, path: string, ask: Ask];

const AT_ONCE = 16;
const TEXTS = [...new Set([...NAUGHTY_STRINGS, ...BIG_LIST])];
const NOWHERE = "/api/admin/dead-letters/999999999/discard";

/** A schema tells every wrong field; something is wrong in each request that could succeed, so that nothing is made. */
const asksOf = (text: string, token: string): Asked[] => [
  ["POST", "/api/users/signup", { body: { username: text, email: text, password: text, more: text } }],
  ["POST", "/api/users/login", { body: { username: text, password: text, more: text } }],
  ["POST", "/api/products", { token, body: { title: text, price: text, startTime: text, currency: text } }],
  ["POST", "/api/orders", { token, body: { productId: text, [text]: text } }],
  ["POST", "/api/orders", { token, body: text, headers: AS_JSON }],
  ["POST", NOWHERE, { token, body: { reason: text } }],
  ["GET", `/api/orders/${percent(text)}?${percent(text)}=1`, { token }],
  [
    "GET",
    `/api/orders?status=${percent(text)}&productId=${percent(text)}&cursor=${percent(text)}`,
    { token },
  ],
  ["GET", `/api/admin/audit?target=${percent(text)}&limit=${percent(text)}`, { token }],
];

export function texts(shop: Shop): void {
  const refusedOrAbsent = (answer: Answer, asked: Asked): void => {
    const said = `${JSON.stringify(asked)} ${answer.text}`;
    // An empty or dotted name is another address, which is fine.
    expect(answer.status, said).to.be.within(200, 499);
    if (answer.status < 400) return;
    expect(problemOf(answer).code, said).to.not.equal("internal");
    expect(answer.headers["content-type"], said).to.match(/^application\/problem\+json/);
  };

  it("naughty texts, in every text field, never break anything (47)", async () => {
    expect(TEXTS.length).to.be.greaterThan(500);
    const asks = TEXTS.flatMap((text) => asksOf(text, shop.sandbox.host.token));
    const answers = await inParallel(asks, AT_ONCE, ([method, path, ask]) =>
      shop.http.send(method, path, ask),
    );
    for (const [i, answer] of answers.entries()) refusedOrAbsent(answer, asks[i]!);
  });
}

export function titles(shop: Shop): void {
  it("a naughty title is refused, or kept to the letter (47)", async () => {
    const startTime = new Date().toISOString();
    const kept = new Map<number, string>();
    await inParallel(TEXTS, AT_ONCE, async (title) => {
      const body = { title, price: 1, stock: 1, startTime };
      const made = await shop.http.post("/api/products", body, shop.sandbox.host.token);
      if (made.status !== 201) {
        shop.refused(made, 400, "validation_failed");
        return;
      }
      kept.set(saleOf(made).id, title);
    });
    expect(kept.size).to.be.greaterThan(TEXTS.length / 2);
    const rows = await shop.sandbox.database.rows<{ id: number; title: string }>(
      "SELECT id, title FROM products",
    );
    const stored = new Map(rows.map((row) => [row.id, row.title]));
    for (const [id, title] of kept) expect(stored.get(id)).to.equal(Buffer.from(title.trim()).toString());
  });

  it("an order's key, a trace and a token that are naughty are refused or ignored (24, 47)", async () => {
    // What no header can carry, no client can send.
    const sendable = TEXTS.filter((text) => /^[\t\x20-\x7e\x80-\xff]*$/.test(text));
    expect(sendable.length).to.be.greaterThan(100);
    await inParallel(sendable, AT_ONCE, async (text) => {
      const { token } = shop.buyer;
      const path = `/api/products/${shop.sale.id}`;
      for (const headers of [{ "Idempotency-Key": text }, { Authorization: `Bearer ${text}` }]) {
        const asked = { body: { productId: 0 }, token, headers };
        const { status, text: said } = await shop.http.send("POST", "/api/orders", asked);
        expect(status, said).to.be.oneOf([400, 401]);
        expect(said).not.to.match(INSIDE);
      }
      const traced = { headers: { traceparent: text, "X-Forwarded-For": text, Accept: text } };
      expect((await shop.http.send("GET", path, traced)).status, text).to.equal(200);
    });
  });
}
