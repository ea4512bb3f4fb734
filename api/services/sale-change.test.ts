import { expect } from "chai";
import { DomainError } from "../../shared/domain/errors.ts";
import type { Product } from "../../shared/domain/product.ts";
import { createFakeAdministration } from "../../shared/testing/administration.ts";
import { createFakeClock } from "../../shared/testing/clock.ts";
import { createFakeDatabase } from "../../shared/testing/database.ts";
import { createLogRecorder } from "../../shared/testing/log.ts";
import { orderIdOf, SALE_START, sampleProduct, sampleUser } from "../../shared/testing/samples.ts";
import { createFakeStockStore } from "../../shared/testing/stock-store.ts";
import { createReconciler } from "../../worker/jobs/reconciler.ts";
import { changeSale, type SaleWish } from "./sale-change.ts";

const ADMIN = { userId: 3, role: "admin", jti: "j", issuedAt: 0, expiresAt: 0 } as const;
const HOUR_MS = 3_600_000;

/** Product 1: ten units, open for a day, a minute ago. */
async function createScene(changes: Partial<Product> = {}) {
  const clock = createFakeClock();
  const database = createFakeDatabase(clock.now);
  const stock = createFakeStockStore(clock.now);
  const administration = createFakeAdministration(database, clock.now);
  const log = createLogRecorder();
  const product = sampleProduct(changes);
  database.tables.users.set(3, sampleUser(3, { role: "admin" }));
  database.tables.products.set(1, product);
  await stock.load({ product, bought: database.store.boughtByProduct(1), epoch: 1 });
  clock.advance(60_000);
  await stock.confirm(1, 1);
  const dependencies = { sales: administration.sales, stock, log, now: clock.now };
  const reconciler = createReconciler({
    ...{ products: () => database.products.active(clock.now(), 0, 10), stock, log },
    ...{ ledger: database.store, observe: () => undefined },
  });
  let orders = 0;
  return {
    ...{ clock, stock, log, product, database, administration },
    change: (wish: SaleWish, id = 1) => changeSale(dependencies, ADMIN, id, wish),
    row: () => database.tables.products.get(1)!,
    counters: async () => (await stock.counters([1])).get(1)!,
    order: async () => {
      orders += 1;
      await stock.confirm(1, 1);
      return await stock.reserve({ orderId: orderIdOf(orders), userId: orders, productId: 1, quantity: 1 });
    },
    // What does not add up is mended at the second look.
    reconcile: async () => {
      await reconciler.run();
      await reconciler.run();
    },
  };
}

async function refusalOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    if (!(error instanceof DomainError)) throw error;
    return [error.code, ...(error.details.errors ?? []).map(({ pointer }) => pointer)].join(" ");
  }
  return "done";
}

describe("a change of a sale", () => {
  it("adds units that are on sale at once", async () => {
    const { change, stock, row } = await createScene();
    expect((await change({ stock: 13 })).stock).to.equal(13);
    expect([row().stock, stock.leftOf(1)]).to.deep.equal([13, 13]);
  });

  it("that is sent again adds nothing more, and is noted once", async () => {
    const { change, stock, administration } = await createScene();
    for (let n = 0; n < 3; n += 1) await change({ stock: 13, title: "Another title" });
    expect(stock.leftOf(1)).to.equal(13);
    expect(administration.entries).to.have.lengthOf(1);
    expect(administration.entries[0]).to.deep.include({
      ...{ action: "product.change", target: "product:1", outcome: "done" },
      before: { title: "Winter concert, standing", stock: 10, endTime: "2027-01-02T09:00:00.000Z" },
      after: { title: "Another title", stock: 13, endTime: "2027-01-02T09:00:00.000Z" },
    });
  });

  it("ends a sale now: every order so far was accepted before its end, and none comes after", async () => {
    const { change, order, clock, row } = await createScene();
    const accepted = await order();
    await change({ endTime: "now" });
    expect(accepted.outcome === "reserved" && accepted.order.acceptedAt < row().endTime).to.equal(true);
    clock.advance(1);
    expect((await order()).outcome).to.equal("sale_closed");
    expect(await refusalOf(change({ endTime: "now" }))).to.equal("done");
  });

  it("ends a sale at a moment to come, and until then it sells", async () => {
    const { change, order, clock } = await createScene();
    await change({ endTime: clock.now() + HOUR_MS });
    clock.advance(HOUR_MS - 1);
    expect((await order()).outcome).to.equal("reserved");
    clock.advance(1);
    expect((await order()).outcome).to.equal("sale_closed");
  });

  it("takes no units away, moves no end back, ends nothing in the past or before its start", async () => {
    const { change, clock, product, row, counters } = await createScene();
    const before = await counters();
    expect(await refusalOf(change({ stock: 9 }))).to.equal("validation_failed /stock");
    expect(await refusalOf(change({ endTime: product.endTime + 1 }))).to.equal("validation_failed /endTime");
    expect(await refusalOf(change({ endTime: clock.now() }))).to.equal("validation_failed /endTime");
    expect(await refusalOf(change({ endTime: SALE_START }))).to.equal("validation_failed /endTime");
    expect(await refusalOf(change({ title: "x" }, 99))).to.equal("not_found");
    expect(row()).to.deep.equal(product);
    expect(await counters()).to.deep.equal(before);
  });

  it("of a sale that has not begun can move its end, not end it now", async () => {
    const { change, row } = await createScene({ startTime: SALE_START + HOUR_MS });
    expect(await refusalOf(change({ endTime: "now" }))).to.equal("validation_failed /endTime");
    await change({ endTime: SALE_START + 2 * HOUR_MS });
    expect(row().endTime).to.equal(SALE_START + 2 * HOUR_MS);
  });

  it("of a sale that is over is of its title only", async () => {
    const { change, clock, row, product } = await createScene();
    clock.advance(25 * HOUR_MS);
    expect(await refusalOf(change({ stock: 11 }))).to.equal("validation_failed /stock");
    expect(await refusalOf(change({ endTime: product.endTime - 1 }))).to.equal("validation_failed /endTime");
    await change({ title: "Over" });
    expect(row().title).to.equal("Over");
  });

  it("works without counters: whoever loads them takes over what the database says", async () => {
    const { change, stock, row, clock } = await createScene();
    stock.loseCounters(1);
    await change({ stock: 12, endTime: "now" });
    expect([row().stock, row().endTime]).to.deep.equal([12, clock.now() + 1]);
  });

  describe("that is cut off half-way", () => {
    it("before Redis heard of added units: the reconciler puts them on sale, once", async () => {
      const { change, stock, reconcile, log } = await createScene();
      stock.faults.fail("raise");
      expect((await change({ stock: 13 })).stock).to.equal(13);
      expect(log.of("warn")).to.have.lengthOf(1);
      expect(stock.leftOf(1)).to.equal(10);
      await reconcile();
      expect(stock.leftOf(1)).to.equal(13);
      // The first attempt, executed late.
      await stock.raise(1, 13);
      expect(stock.leftOf(1)).to.equal(13);
    });

    it("because Redis is away: no end is moved", async () => {
      const { change, stock, row, product } = await createScene();
      stock.faults.fail("endEarly", new Error("away"));
      expect(await refusalOf(change({ endTime: "now", title: "x" }))).to.equal("not_ready");
      expect(row()).to.deep.equal(product);
    });

    it("after Redis closed the sale and before the database did: the reconciler opens it again", async () => {
      const { change, order, administration, reconcile, clock, row, product } = await createScene();
      administration.faults.fail("commit", new DomainError("not_ready", "away"));
      expect(await refusalOf(change({ endTime: "now" }))).to.equal("not_ready");
      expect(row()).to.deep.equal(product);
      expect(administration.entries).to.deep.equal([]);
      clock.advance(10);
      expect((await order()).outcome).to.equal("sale_closed");
      await reconcile();
      expect((await order()).outcome).to.equal("reserved");
    });

    it("and a mending that began before another change ends nothing of that change", async () => {
      const { change, stock, counters, product, row } = await createScene();
      const seen = await counters();
      await change({ endTime: "now", stock: 11 });
      expect(await stock.mend(product, 0, seen)).to.equal("moved");
      expect(await counters()).to.include({ endTime: row().endTime, stock: 11, left: 11 });
    });
  });
});
