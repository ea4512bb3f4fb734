import { expect } from "chai";
import { createFakeClock } from "../../shared/testing/clock.ts";
import { createFakeDatabase } from "../../shared/testing/database.ts";
import { createFakeStockEpochs } from "../../shared/testing/fakes.ts";
import { createLogRecorder } from "../../shared/testing/log.ts";
import { orderIdOf, sampleProduct } from "../../shared/testing/samples.ts";
import { createFakeStockStore } from "../../shared/testing/stock-store.ts";
import { createStockGate, type StockGate } from "./stock-gate.ts";

const VOUCHED_MS = 1_000;

async function openedScene() {
  const clock = createFakeClock();
  const stock = createFakeStockStore(clock.now);
  const epochs = createFakeStockEpochs();
  const log = createLogRecorder();
  const { store } = createFakeDatabase(clock.now);
  const seen: string[] = [];
  const openGate = () => createStockGate({ stock, epochs, log, observe: (event) => void seen.push(event) });
  await stock.load({ product: sampleProduct(), bought: store.boughtByProduct(1), epoch: 1 });
  await epochs.note(new Map([[1, 1]]));
  const gate = openGate();
  let orders = 0;
  const order = async (through: StockGate = gate): Promise<string> => {
    orders += 1;
    const input = { orderId: orderIdOf(orders), userId: orders, productId: 1, quantity: 1 };
    return (await through.reserve(input)).outcome;
  };
  return { clock, stock, epochs, log, seen, openGate, gate, order };
}

describe("the gate before the counters", () => {
  it("lets orders through while the counters are vouched for, and asks nobody", async () => {
    const { order, stock, epochs } = await openedScene();
    stock.faults.fail("confirm");
    epochs.faults.fail("known");
    expect(await order()).to.equal("reserved");
  });

  it("vouches again when the time is over, at the first order", async () => {
    const { order, clock, epochs } = await openedScene();
    clock.advance(VOUCHED_MS);
    expect(await order()).to.equal("reserved");
    expect(epochs.noted.get(1)).to.equal(2);
  });

  it("asks once for all orders that come together", async () => {
    const { order, clock, epochs } = await openedScene();
    clock.advance(VOUCHED_MS);
    expect(await Promise.all([order(), order(), order()])).to.deep.equal(Array(3).fill("reserved"));
    expect(epochs.noted.get(1)).to.equal(2);
  });

  it("vouches in rounds for products that are ordered from, so that nobody waits", async () => {
    const { order, clock, gate, stock } = await openedScene();
    await order();
    clock.advance(VOUCHED_MS / 2);
    await gate.round();
    clock.advance(VOUCHED_MS / 2);
    stock.faults.fail("confirm");
    expect(await order()).to.equal("reserved");
    clock.advance(VOUCHED_MS * 2);
    stock.faults.forget();
    await gate.round();
    await gate.round();
    clock.advance(VOUCHED_MS);
    expect((await stock.counters([1])).get(1)?.epoch).to.equal(3);
  });

  it("shuts the sale before a unit is taken from counters that are older than they were", async () => {
    const { order, clock, stock, seen, log } = await openedScene();
    const putBack = stock.rememberState();
    clock.advance(VOUCHED_MS);
    await order();
    clock.advance(VOUCHED_MS);
    putBack();
    expect(await order()).to.equal("not_loaded");
    expect(stock.leftOf(1)).to.equal(undefined);
    expect(stock.reservedIn(1)).to.deep.equal([]);
    expect(seen).to.deep.equal(["rolled_back"]);
    expect(log.lines.filter(({ level }) => level === "error")).to.have.length(1);
  });

  it("is told by the database what another process has seen", async () => {
    const { order, clock, stock, openGate } = await openedScene();
    const putBack = stock.rememberState();
    clock.advance(VOUCHED_MS);
    await order(openGate());
    putBack();
    expect(await order(openGate())).to.equal("not_loaded");
  });

  it("goes by its own memory while the database is away, and intake goes on", async () => {
    const { order, clock, stock, epochs } = await openedScene();
    const putBack = stock.rememberState();
    epochs.faults.fail("known", new Error("away"), 3);
    epochs.faults.fail("note", new Error("away"), 3);
    clock.advance(VOUCHED_MS);
    expect(await order()).to.equal("reserved");
    clock.advance(VOUCHED_MS);
    expect(await order()).to.equal("reserved");
    putBack();
    clock.advance(VOUCHED_MS);
    expect(await order()).to.equal("not_loaded");
  });

  it("takes nothing when nobody can vouch", async () => {
    const { order, clock, stock } = await openedScene();
    clock.advance(VOUCHED_MS);
    stock.faults.fail("confirm", new Error("away"));
    expect(await order()).to.equal("unconfirmed");
    expect(stock.leftOf(1)).to.equal(10);
  });
});
