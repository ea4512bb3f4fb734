import { expect } from "chai";
import { createFakeClock } from "../../shared/testing/clock.ts";
import { createLogRecorder } from "../../shared/testing/log.ts";
import { createFakeOrderEvents } from "../../shared/testing/order-events.ts";
import { orderIdOf, sampleProduct } from "../../shared/testing/samples.ts";
import { createFakeStockStore } from "../../shared/testing/stock-store.ts";
import { createSweeper } from "./sweeper.ts";

async function createScene(orders = 1) {
  const clock = createFakeClock();
  const stock = createFakeStockStore(clock.now);
  const events = createFakeOrderEvents((order) => void stock.markPublished([order]));
  const swept: number[] = [];
  const product = sampleProduct({ stock: 1_000, perUserLimit: 100 });
  await stock.load({
    product,
    epoch: 1,
    bought: (async function* () {
      yield [];
    })(),
  });
  for (let n = 1; n <= orders; n += 1)
    await stock.reserve({ orderId: orderIdOf(n), userId: n, productId: 1, quantity: 1 });
  const sweeper = createSweeper({
    products: async () => [product],
    stock,
    events,
    log: createLogRecorder(),
    observe: (count) => void swept.push(count),
  });
  return { clock, stock, events, swept, sweeper };
}

describe("the sweeper", () => {
  it("hands an order over again, the same message to the byte, once it is older than any wait", async () => {
    const { clock, stock, events, sweeper } = await createScene();
    const value = (await stock.findReservation(1, orderIdOf(1)))?.value;
    clock.advance(4_999);
    await sweeper.run();
    expect(events.log).to.deep.equal([]);
    clock.advance(1);
    await sweeper.run();
    expect(events.log).to.deep.equal([{ orderId: orderIdOf(1), value }]);
    expect(stock.unpublishedIn(1)).to.deep.equal([]);
  });

  it("keeps an order on the list until the log has acknowledged it, and keeps its units", async () => {
    const { clock, stock, events, swept, sweeper } = await createScene(2);
    clock.advance(5_000);
    events.plan("fail_before", "fail_after");
    await sweeper.run();
    expect(stock.unpublishedIn(1)).to.have.lengthOf(2);
    expect(stock.leftOf(1)).to.equal(998);
    expect(swept).to.deep.equal([0]);
    await sweeper.run();
    expect(stock.unpublishedIn(1)).to.deep.equal([]);
  });

  it("leaves alone what is decided", async () => {
    const { clock, stock, events, sweeper } = await createScene();
    const [order] = stock.reservedIn(1);
    if (order) await stock.settle([{ order, as: "SUCCESS" }]);
    clock.advance(60_000);
    await sweeper.run();
    expect(events.log).to.deep.equal([]);
  });

  it("waits while the log takes no orders", async () => {
    const { clock, events, sweeper } = await createScene();
    clock.advance(5_000);
    events.state.accepts = false;
    await sweeper.run();
    expect(events.log).to.deep.equal([]);
  });

  it("hands over at most 500 orders of a product in one run", async () => {
    const { clock, events, sweeper } = await createScene(600);
    clock.advance(5_000);
    await sweeper.run();
    expect(events.log).to.have.lengthOf(500);
    await sweeper.run();
    expect(events.log).to.have.lengthOf(600);
  });
});
