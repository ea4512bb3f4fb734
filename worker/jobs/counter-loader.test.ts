import { expect } from "chai";
import type { OrderMessage } from "../../shared/domain/order.ts";
import { createFakeClock } from "../../shared/testing/clock.ts";
import { createFakeDatabase } from "../../shared/testing/database.ts";
import { createFakeBacklogWatch, createFakeStockEpochs } from "../../shared/testing/fakes.ts";
import { createLogRecorder } from "../../shared/testing/log.ts";
import { orderIdOf, sampleOrder, sampleProduct, sampleUser } from "../../shared/testing/samples.ts";
import { createFakeStockStore } from "../../shared/testing/stock-store.ts";
import { createCounterLoader } from "./counter-loader.ts";

const SETTLED_MS = 9_800;

function createScene() {
  const clock = createFakeClock();
  const database = createFakeDatabase(clock.now);
  const stock = createFakeStockStore(clock.now);
  const backlog = createFakeBacklogWatch();
  const epochs = createFakeStockEpochs();
  const observed: string[] = [];
  database.tables.products.set(1, sampleProduct({ perUserLimit: 2 }));
  for (const id of [1, 2, 3]) database.tables.users.set(id, sampleUser(id));
  const loader = createCounterLoader({
    products: () => database.products.active(clock.now(), 0, 100),
    stock,
    ledger: database.store,
    epochs,
    backlog,
    produceSettledMs: SETTLED_MS,
    log: createLogRecorder(),
    observe: (event) => void observed.push(event),
    monotonicNow: clock.now,
  });
  return { clock, database, stock, backlog, epochs, observed, loader, decide };

  async function decide(order: OrderMessage): Promise<void> {
    const decision = { outcome: "SUCCESS", order, amount: 99_000 } as const;
    await database.store.transaction((writer) => writer.write([decision], clock.now()));
  }
}

describe("the counter loader", () => {
  it("leaves counters alone that are there", async () => {
    const { stock, loader, database, clock } = createScene();
    await stock.load({ product: sampleProduct(), bought: database.store.boughtByProduct(1), epoch: 1 });
    await stock.reserve({ orderId: "o", userId: 1, productId: 1, quantity: 1 });
    clock.advance(SETTLED_MS * 2);
    for (let run = 0; run < 4; run += 1) await loader.run();
    expect(stock.leftOf(1)).to.equal(9);
  });

  it("waits until everything on its way to the log has arrived before it looks at the log's end", async () => {
    const { stock, loader, backlog, clock } = createScene();
    await loader.run();
    clock.advance(SETTLED_MS - 1);
    await loader.run();
    // The last one that was on its way.
    backlog.state.end = 7n;
    clock.advance(1);
    await loader.run();
    await loader.run();
    expect(stock.leftOf(1)).to.equal(undefined);
    backlog.state.committed = 7n;
    await loader.run();
    expect(stock.leftOf(1)).to.equal(10);
  });

  it("waits until the log is decided up to where it was, and counts what was decided meanwhile", async () => {
    const { stock, loader, backlog, clock, decide } = createScene();
    backlog.state.end = 2n;
    await loader.run();
    clock.advance(SETTLED_MS);
    await loader.run();
    await decide(sampleOrder({ orderId: orderIdOf(1), userId: 1 }));
    backlog.state.committed = 1n;
    await loader.run();
    expect(stock.leftOf(1)).to.equal(undefined);
    await decide(sampleOrder({ orderId: orderIdOf(2), userId: 2 }));
    backlog.state.committed = 2n;
    await loader.run();
    expect(stock.leftOf(1)).to.equal(8);
    expect([stock.boughtBy(1, 1), stock.boughtBy(1, 2), stock.boughtBy(1, 3)]).to.deep.equal([1, 1, 0]);
  });

  it("counts a living reservation as taken, and one whose order is decided not a second time", async () => {
    const scene = createScene();
    const { stock, loader, clock, decide, database } = scene;
    await stock.load({
      product: sampleProduct({ perUserLimit: 2 }),
      bought: database.store.boughtByProduct(1),
      epoch: 1,
    });
    for (const n of [1, 2])
      await stock.reserve({ orderId: orderIdOf(n), userId: n, productId: 1, quantity: 1 });
    const [first] = stock.reservedIn(1);
    if (first) await decide(first);
    stock.loseCounters(1);
    await loader.run();
    clock.advance(SETTLED_MS);
    await loader.run();
    await loader.run();
    expect(stock.leftOf(1)).to.equal(8);
    expect(stock.reservedIn(1)).to.have.lengthOf(1);
  });

  it("starts its wait anew when counters go missing a second time", async () => {
    const { stock, loader, clock } = createScene();
    await loader.run();
    clock.advance(SETTLED_MS);
    await loader.run();
    await loader.run();
    expect(stock.leftOf(1)).to.equal(10);
    stock.loseEverything();
    await loader.run();
    await loader.run();
    expect(stock.leftOf(1)).to.equal(undefined);
  });

  it("goes on with the next run when Redis or the log is away in this one", async () => {
    const { stock, loader, clock } = createScene();
    await loader.run();
    clock.advance(SETTLED_MS);
    stock.faults.fail("counters", new Error("away"));
    await loader.run().catch(() => undefined);
    await loader.run();
    stock.faults.fail("load", new Error("away"));
    await loader.run().catch(() => undefined);
    expect(stock.leftOf(1)).to.equal(undefined);
    await loader.run();
    expect(stock.leftOf(1)).to.equal(10);
  });

  it("shuts a sale whose counters are older than what is noted, and rebuilds it like a lost one", async () => {
    const { stock, database, epochs, observed, loader, clock, decide } = createScene();
    await stock.load({ product: sampleProduct(), bought: database.store.boughtByProduct(1), epoch: 1 });
    const putBack = stock.rememberState();
    const confirmed = await stock.confirm(1, 1);
    expect(confirmed).to.deep.equal({ outcome: "confirmed", epoch: 2 });
    await epochs.note(new Map([[1, 2]]));
    await decide(sampleOrder({ orderId: orderIdOf(1), userId: 1 }));
    await loader.run();
    expect(stock.leftOf(1), "counters of today").to.equal(10);
    putBack();
    await loader.run();
    expect(stock.leftOf(1), "counters of yesterday").to.equal(undefined);
    clock.advance(SETTLED_MS);
    for (let run = 0; run < 2; run += 1) await loader.run();
    expect(stock.leftOf(1)).to.equal(9);
    expect(observed).to.deep.equal(["rolled_back", "loaded"]);
    expect((await stock.counters([1])).get(1)?.epoch, "above every one before").to.equal(3);
    expect(epochs.noted.get(1)).to.equal(3);
  });
});
