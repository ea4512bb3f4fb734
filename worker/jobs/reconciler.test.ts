import { expect } from "chai";
import { createFakeClock } from "../../shared/testing/clock.ts";
import { createFakeDatabase } from "../../shared/testing/database.ts";
import { createLogRecorder } from "../../shared/testing/log.ts";
import { orderIdOf, sampleProduct, sampleUser } from "../../shared/testing/samples.ts";
import { createFakeStockStore } from "../../shared/testing/stock-store.ts";
import { createReconciler } from "./reconciler.ts";

describe("the reconciler", () => {
  it("ends the reservations of decided orders, over all steps of the walk, and leaves the others", async () => {
    const clock = createFakeClock();
    const database = createFakeDatabase(clock.now);
    const stock = createFakeStockStore(clock.now);
    const log = createLogRecorder();
    const product = sampleProduct({ stock: 20 });
    database.tables.products.set(1, product);
    await stock.load({ product, bought: database.store.boughtByProduct(1), epoch: 1 });
    for (let n = 1; n <= 9; n += 1) {
      database.tables.users.set(n, sampleUser(n));
      await stock.reserve({ orderId: orderIdOf(n), userId: n, productId: 1, quantity: 1 });
    }
    // 1 to 3 settled, 4 to 6 failed, 7 to 9 undecided; no housekeeping was done.
    const decisions = stock
      .reservedIn(1)
      .slice(0, 6)
      .map((order, i) =>
        i < 3
          ? ({ outcome: "SUCCESS", order, amount: 99_000 } as const)
          : ({ outcome: "FAILED", order, reason: "sold_out" } as const),
      );
    await database.store.transaction((writer) => writer.write(decisions, clock.now()));
    const reconciler = createReconciler({
      products: async () => [product],
      stock,
      ledger: database.store,
      log,
      observe: () => undefined,
    });
    await reconciler.run();
    expect(stock.reservedIn(1).map(({ orderId }) => orderId)).to.deep.equal([7, 8, 9].map(orderIdOf));
    expect(stock.leftOf(1)).to.equal(20 - 3 - 3);
    expect(stock.tombstoneOf(1, orderIdOf(4))).to.equal("FAILED");
  });

  it("gives back units that are reserved under an order id which was decided on other facts", async () => {
    const clock = createFakeClock();
    const database = createFakeDatabase(clock.now);
    const stock = createFakeStockStore(clock.now);
    const product = sampleProduct({ stock: 20 });
    database.tables.products.set(1, product);
    database.tables.users.set(1, sampleUser(1));
    await stock.load({ product, bought: database.store.boughtByProduct(1), epoch: 1 });
    await stock.reserve({ orderId: orderIdOf(1), userId: 1, productId: 1, quantity: 1 });
    const [reserved] = stock.reservedIn(1);
    if (!reserved) throw new Error("nothing is reserved");
    const order = { ...reserved, acceptedAt: reserved.acceptedAt - 1 };
    await database.store.transaction((writer) =>
      writer.write([{ outcome: "SUCCESS", order, amount: 99_000 }], clock.now()),
    );
    const log = createLogRecorder();
    await createReconciler({
      ...{ products: async () => [product], stock, ledger: database.store, log },
      observe: () => undefined,
    }).run();
    expect(stock.leftOf(1)).to.equal(20);
    expect(stock.reservedIn(1)).to.deep.equal([]);
  });

  describe("of counters that do not say what the database says", () => {
    async function createScene(sold: number) {
      const clock = createFakeClock();
      const database = createFakeDatabase(clock.now);
      const stock = createFakeStockStore(clock.now);
      const log = createLogRecorder();
      const seen: string[] = [];
      const product = sampleProduct({ stock: 20, sold: 0 });
      await stock.load({ product, bought: database.store.boughtByProduct(1), epoch: 1 });
      database.tables.products.set(1, { ...product, sold });
      const reconciler = createReconciler({
        ...{ products: () => database.products.active(clock.now(), 0, 10), stock, log },
        ledger: database.store,
        observe: (repair) => void seen.push(repair),
      });
      return { database, stock, log, seen, product, reconciler };
    }
    const LOST = 3;

    it("gives back units that nobody holds and nobody bought, at the second look", async () => {
      const { stock, database, product, reconciler, seen, log } = await createScene(0);
      database.tables.products.set(1, { ...product, stock: product.stock + LOST });
      await reconciler.run();
      expect(stock.leftOf(1)).to.equal(20);
      await reconciler.run();
      expect(stock.leftOf(1)).to.equal(20 + LOST);
      await reconciler.run();
      await reconciler.run();
      expect(stock.leftOf(1)).to.equal(20 + LOST);
      expect(seen).to.deep.equal(["given_back"]);
      expect(log.lines.filter(({ level }) => level === "error")).to.have.length(1);
    });

    it("shuts the sale when Redis has forgotten orders that were decided", async () => {
      const { stock, reconciler, seen } = await createScene(LOST);
      await reconciler.run();
      await reconciler.run();
      expect(stock.leftOf(1)).to.equal(undefined);
      expect(seen).to.deep.equal(["shut"]);
    });

    it("leaves them alone when a batch at its housekeeping explains the difference", async () => {
      const { stock, database, reconciler, seen } = await createScene(0);
      database.tables.users.set(1, sampleUser(1));
      await stock.reserve({ orderId: orderIdOf(1), userId: 1, productId: 1, quantity: 1 });
      const [order] = stock.reservedIn(1);
      if (!order) throw new Error("nothing is reserved");
      await reconciler.run();
      await database.store.transaction((writer) =>
        writer.write([{ outcome: "SUCCESS", order, amount: 99_000 }], 0),
      );
      await reconciler.run();
      await reconciler.run();
      expect(stock.leftOf(1)).to.equal(19);
      expect(seen).to.deep.equal(["ended"]);
    });
  });
});
