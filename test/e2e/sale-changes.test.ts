import { expect } from "chai";
import { problemOf, saleOf } from "../support/bodies.ts";
import { createHistory } from "../support/history.ts";
import type { HttpClient } from "../support/http-client.ts";
import { rush } from "../support/rush.ts";
import { broken, openSandbox, type Person, type Sandbox } from "../support/sandbox.ts";
import { until } from "../support/until.ts";

const DRAINED_WITHIN_MS = 20_000;
const MENDED_WITHIN_MS = 20_000;

describe("a sale that is changed while it runs", function () {
  this.timeout(90_000);
  let sandbox: Sandbox;
  let http: HttpClient;
  let elsewhere: HttpClient;

  before(async () => {
    sandbox = await openSandbox();
    const [api, second] = await Promise.all([
      sandbox.start("api"),
      sandbox.start("api", { name: "api-2" }),
      sandbox.start("worker"),
    ]);
    http = sandbox.client(api);
    elsewhere = sandbox.client(second);
  });
  after(() => (sandbox as Sandbox | undefined)?.close());

  const change = (id: number, body: object, by: Person = sandbox.host) =>
    http.send("PATCH", `/api/products/${id}`, { token: by.token, body });
  const drained = (productId: number) =>
    until(
      "all is decided and settled",
      async () =>
        (await sandbox.lag()) === 0 && (await sandbox.redis.hlen(`{p:${productId}}:reservations`)) === 0,
      DRAINED_WITHIN_MS,
    );

  it("sells exactly the units that it has in the end, and every order that was accepted is settled", async () => {
    const { id } = await sandbox.openSale(http, { stock: 20 });
    const history = createHistory();
    const buying = rush({
      ...{ http: [http, elsewhere], history, productId: id, buyers: await sandbox.users(300) },
      ...{ persist: true, perSecond: 150 },
    });
    const stocks = [40, 60, 60, 50, 100];
    const answers = await Promise.all(stocks.map((stock) => change(id, { stock })));
    await buying;
    await drained(id);
    for (const { status, text } of answers) expect(status, text).to.be.oneOf([200, 400]);
    const sale = saleOf(await http.get(`/api/products/${id}`));
    expect(sale).to.include({ stock: 100, stockLeft: 0 });
    const rows = await sandbox.rowsOf(id);
    expect(rows.filter(({ status }) => status === "SUCCESS")).to.have.lengthOf(100);
    expect(rows).to.have.lengthOf(100);
    expect(broken(await sandbox.verify())).to.deep.equal([]);
  });

  it("that is ended while everybody buys fails no order that was accepted", async () => {
    const { id } = await sandbox.openSale(http, { stock: 1_000 });
    const history = createHistory();
    const buying = rush({
      ...{ http: [http, elsewhere], history, productId: id, buyers: await sandbox.users(400) },
      ...{ persist: true, perSecond: 200 },
    });
    await until("some have bought", async () => (await sandbox.rowsOf(id)).length > 50, DRAINED_WITHIN_MS);
    const ended = await change(id, { endTime: "now" });
    expect(ended.status, ended.text).to.equal(200);
    await buying;
    await drained(id);
    const rows = await sandbox.rowsOf(id);
    expect(rows.length).to.be.within(51, 399);
    expect(rows.filter(({ status }) => status !== "SUCCESS")).to.deep.equal([]);
    expect(saleOf(await elsewhere.get(`/api/products/${id}`)).state).to.equal("closed");
    const again = await change(id, { stock: 2_000 });
    expect([again.status, problemOf(again).errors?.[0]?.pointer]).to.deep.equal([400, "/stock"]);
    expect(broken(await sandbox.verify())).to.deep.equal([]);
  });

  it("is audited as it was before and after; nobody but administrators may do it", async () => {
    const sale = await sandbox.openSale(http, { stock: 5 });
    const [user] = await sandbox.users(1);
    expect((await change(sale.id, { title: "Mine" }, user)).status).to.equal(403);
    expect((await change(sale.id, { title: "Winter", stock: 6 })).status).to.equal(200);
    const { text } = await http.get(`/api/admin/audit?target=product:${sale.id}`, sandbox.host.token);
    const { data } = JSON.parse(text) as { data: object[] };
    expect(data).to.have.lengthOf(1);
    expect(data[0]).to.deep.include({
      ...{ action: "product.change", outcome: "done" },
      before: { title: "A sale", stock: 5, endTime: sale.endTime },
      after: { title: "Winter", stock: 6, endTime: sale.endTime },
    });
  });

  it("refuses what it cannot be, field by field", async () => {
    const { id, endTime } = await sandbox.openSale(http, { stock: 5 });
    const later = new Date(Date.parse(endTime) + 1).toISOString();
    const cases: readonly [body: object, pointer: string][] = [
      [{}, ""],
      [{ stock: 4 }, "/stock"],
      [{ stock: 10_000_001 }, "/stock"],
      [{ stock: "9" }, "/stock"],
      [{ endTime: later }, "/endTime"],
      [{ endTime: "2001-01-01T00:00:00.000Z" }, "/endTime"],
      [{ endTime: "soon" }, "/endTime"],
      [{ title: "" }, "/title"],
      [{ price: 1 }, "/price"],
      [{ sold: 0 }, "/sold"],
    ];
    for (const [body, pointer] of cases) {
      const answer = await change(id, body);
      expect([answer.status, problemOf(answer).errors?.[0]?.pointer], JSON.stringify(body)).to.deep.equal([
        400,
        pointer,
      ]);
    }
    expect((await change(999_999, { title: "x" })).status).to.equal(404);
    expect(saleOf(await http.get(`/api/products/${id}`))).to.include({ stock: 5, endTime });
  });

  it("whose end stands in Redis and not in the database is opened again by the reconciler", async () => {
    const { id, endTime } = await sandbox.openSale(http, { stock: 5 });
    await sandbox.redis.hset(`{p:${id}}:stock`, "end", Date.now() - 1);
    const [buyer] = await sandbox.users(1);
    const buy = () => http.post("/api/orders", { productId: id }, buyer!.token);
    expect((await buy()).status).to.equal(409);
    await until("the sale sells", async () => (await buy()).status === 202, MENDED_WITHIN_MS);
    expect(Number(await sandbox.redis.hget(`{p:${id}}:stock`, "end"))).to.equal(Date.parse(endTime));
    await drained(id);
  });
});
