import { expect } from "chai";
import type { Program } from "../../tools/stack/programs.ts";
import { saleOf } from "../support/bodies.ts";
import { createHistory } from "../support/history.ts";
import type { HttpClient } from "../support/http-client.ts";
import { rush } from "../support/rush.ts";
import { broken, openSandbox, type Person, type Sandbox } from "../support/sandbox.ts";
import { until } from "../support/until.ts";

const BUYERS = 5_000;
const STOCK = 100;
const KEYED_BUYERS = 1_000;
const COPIES = 5;
const SINGLES = 20;
const BUYERS_OF_ONE = 1_000;
const DECIDED_DEADLINE_MS = 20_000;
const CONNECTIONS = 128;

describe("many buyers at once", function () {
  this.timeout(120_000);
  let sandbox: Sandbox;
  let http: HttpClient;
  let api: Program;
  let buyers: Person[];

  before(async () => {
    sandbox = await openSandbox();
    [api, buyers] = await Promise.all([sandbox.start("api"), sandbox.users(BUYERS), sandbox.start("worker")]);
    http = sandbox.client(api, CONNECTIONS);
  });
  after(() => (sandbox as Sandbox | undefined)?.close());

  const decided = (productId: number, orders: number) =>
    until(
      `${orders} orders of product ${productId} are decided`,
      async () => (await sandbox.rowsOf(productId)).length >= orders && (await sandbox.lag()) === 0,
      DECIDED_DEADLINE_MS,
    );
  const settlementsOfProduct = (productId: number) =>
    sandbox.database.count("SELECT COUNT(DISTINCT order_id) FROM settlements WHERE product_id = ?", [
      productId,
    ]);
  const left = async (productId: number): Promise<number> =>
    saleOf(await http.get(`/api/products/${productId}`)).stockLeft;

  it(`sell exactly ${STOCK} of ${STOCK} units to ${BUYERS} buyers, and tell everybody else sold_out`, async () => {
    const { id } = await sandbox.openSale(http, { stock: STOCK });
    const history = createHistory();
    await rush({ http, history, productId: id, buyers });
    expect(history.tally()).to.deep.equal({ accepted: STOCK, sold_out: BUYERS - STOCK });
    await decided(id, STOCK);

    const rows = await sandbox.rowsOf(id);
    expect(rows.filter(({ status }) => status !== "SUCCESS")).to.deep.equal([]);
    expect(rows).to.have.length(STOCK);
    expect(history.contradictions(id, rows)).to.deep.equal([]);
    expect(await settlementsOfProduct(id)).to.equal(STOCK);
    expect(await left(id)).to.equal(0);
    expect(broken(await sandbox.verify())).to.deep.equal([]);
  });

  it(`make ${KEYED_BUYERS} orders of ${COPIES} identical parallel requests from each of ${KEYED_BUYERS}`, async () => {
    const { id } = await sandbox.openSale(http, { stock: BUYERS, perUserLimit: COPIES });
    const history = createHistory();
    const some = buyers.slice(0, KEYED_BUYERS);
    const keyOf = (buyer: Person): string => `same-key-of-all-${buyer.id}`;
    await rush({ http, history, productId: id, buyers: some, copies: COPIES, keyOf });
    // A second round: now every request is a replay.
    await rush({ http, history, productId: id, buyers: some, keyOf });
    expect(Object.keys(history.tally())).to.have.members(["accepted", "order_in_progress"]);
    await decided(id, KEYED_BUYERS);

    const rows = await sandbox.rowsOf(id);
    expect(rows).to.have.length(KEYED_BUYERS);
    expect(new Set(rows.map((row) => row.user_id)).size).to.equal(KEYED_BUYERS);
    expect(new Set(history.of("ok").map(({ orderId }) => orderId)).size).to.equal(KEYED_BUYERS);
    expect(history.contradictions(id, rows)).to.deep.equal([]);
    expect(await left(id)).to.equal(BUYERS - KEYED_BUYERS);
    expect(broken(await sandbox.verify())).to.deep.equal([]);
  });

  it(`make at most one order per limit of ${COPIES} parallel requests without a key`, async () => {
    const { id } = await sandbox.openSale(http, { stock: BUYERS });
    const history = createHistory();
    const some = buyers.slice(0, BUYERS_OF_ONE / COPIES);
    await rush({ http, history, productId: id, buyers: some, copies: COPIES });
    expect(history.tally()["accepted"]).to.equal(some.length);
    expect(Object.keys(history.tally())).to.include.members(["accepted"]);
    for (const { code } of history.of("fail"))
      expect(code).to.be.oneOf(["order_in_progress", "limit_exceeded"]);
    await decided(id, some.length);
    expect(history.contradictions(id, await sandbox.rowsOf(id))).to.deep.equal([]);
  });

  it(`sell one unit to one of ${BUYERS_OF_ONE} buyers, ${SINGLES} times out of ${SINGLES}`, async () => {
    const some = buyers.slice(0, BUYERS_OF_ONE);
    for (let i = 0; i < SINGLES; i += 1) {
      const { id } = await sandbox.openSale(http, { stock: 1 });
      const history = createHistory();
      await rush({ http, history, productId: id, buyers: some });
      expect(history.tally()).to.deep.equal({ accepted: 1, sold_out: BUYERS_OF_ONE - 1 });
      await decided(id, 1);
      const rows = await sandbox.rowsOf(id);
      expect(rows.map(({ status }) => status)).to.deep.equal(["SUCCESS"]);
      expect(history.contradictions(id, rows)).to.deep.equal([]);
      expect(await left(id)).to.equal(0);
    }
    expect(broken(await sandbox.verify())).to.deep.equal([]);
  });
});
