import { expect } from "chai";
import sinon from "sinon";
import { DomainError } from "../../shared/domain/errors.ts";
import type { DecisionStore, RawMessage } from "../../shared/domain/ports.ts";
import { createFakeClock } from "../../shared/testing/clock.ts";
import { createFakeDatabase } from "../../shared/testing/database.ts";
import { createFakeDeadLetterTopic, createFakeDecisionNews } from "../../shared/testing/fakes.ts";
import { createLogRecorder } from "../../shared/testing/log.ts";
import {
  orderIdOf,
  rawMessage,
  sampleOrder,
  sampleProduct,
  sampleUser,
} from "../../shared/testing/samples.ts";
import { createFakeStockStore } from "../../shared/testing/stock-store.ts";
import { createOrderPlacedHandler, type BatchReport } from "./order-placed.ts";

const MINE = () => true;

function createScene(stock = 10) {
  const clock = createFakeClock();
  const database = createFakeDatabase(clock.now);
  const redis = createFakeStockStore(clock.now);
  const deadLetters = createFakeDeadLetterTopic();
  const news = createFakeDecisionNews();
  const log = createLogRecorder();
  const reports: BatchReport[] = [];
  database.tables.products.set(1, sampleProduct({ stock }));
  for (let id = 1; id <= 9; id += 1) database.tables.users.set(id, sampleUser(id));
  const handle = createOrderPlacedHandler({
    store: database.store,
    stock: redis,
    deadLetters,
    news,
    log,
    now: clock.now,
    observe: (report) => void reports.push(report),
  });
  return { clock, database, redis, deadLetters, news, log, reports, handle };
}
type Scene = ReturnType<typeof createScene>;

async function opened(stock?: number): Promise<Scene> {
  const scene = createScene(stock);
  const product = sampleProduct({ stock: stock ?? 10 });
  await scene.redis.load({ product, bought: scene.database.store.boughtByProduct(1), epoch: 1 });
  return scene;
}

/** Order n of user n, reserved, as its message on the topic. */
async function reserved({ redis }: Scene, n: number): Promise<RawMessage> {
  const outcome = await redis.reserve({ orderId: orderIdOf(n), userId: n, productId: 1, quantity: 1 });
  if (outcome.outcome !== "reserved") throw new Error(outcome.outcome);
  return rawMessage(n, outcome.value);
}

const orderN = (n: number) => sampleOrder({ orderId: orderIdOf(n), userId: n });
const statusOf = ({ database }: Scene, n: number) => database.tables.orders.get(orderIdOf(n))?.status;
const reasonOf = ({ database }: Scene, n: number) => database.tables.orders.get(orderIdOf(n))?.failReason;
const offsetsOf = ({ deadLetters }: Scene) => deadLetters.letters.map(({ message }) => message.offset);
function factsOf({ database: { tables } }: Scene) {
  return {
    orders: [...tables.orders.values()],
    history: [...tables.history],
    settlements: [...tables.settlements.values()],
    totals: [...tables.totals],
    sold: tables.products.get(1)?.sold,
    letters: tables.letters.size,
  };
}

describe("deciding a batch", () => {
  it("writes orders, settlements, totals, history and sold units of the whole batch in one transaction", async () => {
    const scene = await opened();
    const batch = [await reserved(scene, 1), await reserved(scene, 2)];
    expect(await scene.handle(batch, MINE)).to.equal("decided");
    const { tables, calls } = scene.database;
    expect([statusOf(scene, 1), statusOf(scene, 2)]).to.deep.equal(["SUCCESS", "SUCCESS"]);
    expect([...tables.settlements.values()].map(({ amount }) => amount)).to.deep.equal([99_000, 99_000]);
    expect(tables.totals.get("product:1:KRW")).to.deep.equal({ currency: "KRW", count: 2, amount: 198_000 });
    expect(tables.history.get(orderIdOf(1))).to.deep.equal([{ from: "PENDING", to: "SUCCESS" }]);
    expect(tables.products.get(1)?.sold).to.equal(2);
    expect(calls.filter((call) => call === "commit")).to.have.lengthOf(1);
  });

  it("tells the trace of a message in every line about it, when its header named one", async () => {
    const scene = await opened(0);
    const traceId = "4bf92f3577b34da6a3ce929d0e0e4736";
    const traceparent = `00-${traceId}-00f067aa0ba902b7-01`;
    await scene.handle([{ ...rawMessage(1, orderN(1)), traceparent }, rawMessage(2, orderN(2))], MINE);
    await scene.handle([{ ...rawMessage(3, "{"), traceparent }], MINE);
    const told = scene.log.lines.map(({ message, fields }) => [message, fields["traceId"]]);
    expect(told).to.deep.equal([
      ["order failed", traceId],
      ["order failed", undefined],
      ["message parked", traceId],
    ]);
  });

  it("locks the products before it reads anything that the decision rests on", async () => {
    const scene = await opened();
    await scene.handle([await reserved(scene, 1)], MINE);
    expect(scene.database.calls[0]).to.equal("lockProducts");
    expect(scene.database.calls.indexOf("write")).to.be.below(scene.database.calls.indexOf("commit"));
  });

  it("commits, then parks, then ends reservations, and only then lets the offsets move", async () => {
    const scene = await opened();
    const steps: string[] = [];
    const store: DecisionStore = {
      ...scene.database.store,
      transaction: async (work) => {
        const result = await scene.database.store.transaction(work);
        steps.push("committed");
        return result;
      },
    };
    const handle = createOrderPlacedHandler({
      store,
      stock: { settle: async () => void steps.push("reservations ended") },
      deadLetters: { park: async () => void steps.push("parked") },
      news: scene.news,
      log: scene.log,
      now: scene.clock.now,
      observe: () => undefined,
    });
    await handle([rawMessage(1, "poison"), rawMessage(2, orderN(2))], MINE).then((outcome) =>
      steps.push(outcome),
    );
    expect(steps).to.deep.equal(["committed", "parked", "reservations ended", "decided"]);
  });

  it("ends the reservation of a settled order and keeps its unit sold", async () => {
    const scene = await opened();
    await scene.handle([await reserved(scene, 1)], MINE);
    expect(scene.redis.reservedIn(1)).to.deep.equal([]);
    expect(scene.redis.leftOf(1)).to.equal(9);
    expect(scene.redis.tombstoneOf(1, orderIdOf(1))).to.equal("SUCCESS");
  });

  it("tells whom it may concern which orders it decided, and goes on when nobody can be told", async () => {
    const scene = await opened();
    scene.news.faults.fail("tell", new Error("Redis is away"));
    expect(await scene.handle([await reserved(scene, 1)], MINE)).to.equal("decided");
    expect(await scene.handle([await reserved(scene, 2)], MINE)).to.equal("decided");
    expect(scene.news.told).to.deep.equal([orderIdOf(2)]);
  });

  it("gives the units of a failed order back", async () => {
    const scene = await opened();
    const message = await reserved(scene, 1);
    scene.database.tables.products.set(1, sampleProduct({ stock: 10, sold: 10 }));
    await scene.handle([message], MINE);
    expect(reasonOf(scene, 1)).to.equal("sold_out");
    expect(scene.redis.leftOf(1)).to.equal(10);
    expect(scene.redis.boughtBy(1, 1)).to.equal(0);
  });

  it("does not park an order that failed for want of stock: that is a sale, not a wrong producer", async () => {
    const scene = await opened();
    const message = await reserved(scene, 1);
    scene.database.tables.products.set(1, sampleProduct({ stock: 10, sold: 10 }));
    await scene.handle([message], MINE);
    expect(scene.deadLetters.letters).to.deep.equal([]);
  });

  it("changes nothing when the whole batch comes again", async () => {
    const scene = await opened();
    const batch = [await reserved(scene, 1), rawMessage(5, "poison"), await reserved(scene, 2)];
    await scene.handle(batch, MINE);
    const [facts, left] = [factsOf(scene), scene.redis.leftOf(1)];
    scene.clock.advance(60_000);
    await scene.handle(batch, MINE);
    expect(factsOf(scene)).to.deep.equal(facts);
    expect(scene.redis.leftOf(1)).to.equal(left);
  });

  it("decides copies of one order inside a batch once", async () => {
    const scene = await opened();
    const message = await reserved(scene, 1);
    await scene.handle([message, { ...message, offset: "7" }, { ...message, offset: "8" }], MINE);
    expect(scene.database.tables.settlements.size).to.equal(1);
    expect(scene.redis.leftOf(1)).to.equal(9);
  });

  it("finishes for an earlier run that died after COMMIT: the reservation ends with the second copy", async () => {
    const scene = await opened();
    const message = await reserved(scene, 1);
    scene.redis.faults.fail("settle");
    await scene.handle([message], MINE);
    expect(scene.redis.reservedIn(1)).to.have.lengthOf(1);
    await scene.handle([message], MINE);
    expect(scene.redis.reservedIn(1)).to.deep.equal([]);
    expect(scene.redis.leftOf(1)).to.equal(9);
  });

  it("is decided although Redis is away: housekeeping must never hold up the log", async () => {
    const scene = await opened();
    const message = await reserved(scene, 1);
    scene.redis.faults.fail("settle");
    expect(await scene.handle([message], MINE)).to.equal("decided");
    expect(scene.log.of("warn")).to.have.lengthOf(1);
  });

  it("tells what it did: size, decisions, parked messages", async () => {
    const scene = await opened();
    await scene.handle([await reserved(scene, 1), rawMessage(2, "poison")], MINE);
    const [report] = scene.reports;
    expect(report).to.include({ size: 2, parked: 1 });
    expect(report?.decisions.map(({ outcome }) => outcome)).to.deep.equal(["SUCCESS"]);
  });
});

describe("a bad message", () => {
  const { orderId: _id, ...noId } = sampleOrder();
  const kinds: [string, unknown][] = [
    ["a null value", null],
    ["an empty value", ""],
    ["no JSON", "{"],
    ["an unknown version", { ...sampleOrder(), v: 2 }],
    ["no order id", noId],
    ["an unknown product", { ...sampleOrder(), productId: 99 }],
    ["an unknown user", { ...sampleOrder(), userId: 99 }],
    ["a negative quantity", { ...sampleOrder(), quantity: -1 }],
    ["a quantity of zero", { ...sampleOrder(), quantity: 0 }],
    ["another price", { ...sampleOrder(), unitPrice: 1 }],
    ["acceptedAt before the sale", { ...sampleOrder(), acceptedAt: 1 }],
    ["acceptedAt after the sale", { ...sampleOrder(), acceptedAt: sampleProduct().endTime }],
    ["a value of 1 MB", { ...sampleOrder(), padding: "x".repeat(1_000_000) }],
    ["bytes that are no text", "\u0000\ufffd"],
  ];
  for (const [what, value] of kinds) {
    it(`(${what}) is parked, and its neighbours are decided as if it were not there`, async () => {
      const scene = await opened();
      const batch = [await reserved(scene, 2), rawMessage(50, value), await reserved(scene, 3)];
      expect(await scene.handle(batch, MINE)).to.equal("decided");
      expect(offsetsOf(scene)).to.deep.equal(["50"]);
      expect(scene.database.tables.letters.size).to.equal(1);
      expect([statusOf(scene, 2), statusOf(scene, 3)]).to.deep.equal(["SUCCESS", "SUCCESS"]);
      expect(scene.database.tables.settlements.size).to.equal(2);
    });
  }

  it("fails the order that it names and gives its units back", async () => {
    const scene = await opened();
    await reserved(scene, 1);
    await scene.handle([rawMessage(1, { ...orderN(1), v: 9 })], MINE);
    expect(reasonOf(scene, 1)).to.equal("invalid_message");
    expect(scene.redis.leftOf(1)).to.equal(10);
  });

  it("does not undo the settled order that it names", async () => {
    const scene = await opened();
    const message = await reserved(scene, 1);
    await scene.handle([message, rawMessage(5, { ...orderN(1), v: 9 })], MINE);
    expect(statusOf(scene, 1)).to.equal("SUCCESS");
    expect(scene.redis.leftOf(1)).to.equal(9);
  });

  it("does not give back the units of the settled order that it names, though housekeeping was lost", async () => {
    const scene = await opened();
    const message = await reserved(scene, 1);
    scene.redis.faults.fail("settle");
    await scene.handle([message], MINE);
    await scene.handle([rawMessage(5, { ...orderN(1), v: 9 })], MINE);
    expect(scene.redis.reservedIn(1)).to.deep.equal([]);
    expect(scene.redis.leftOf(1)).to.equal(9);
  });

  it("that comes before the good copy leaves the order failed, and the good copy is parked", async () => {
    const scene = await opened();
    const message = await reserved(scene, 1);
    await scene.handle([rawMessage(0, { ...orderN(1), v: 9 })], MINE);
    await scene.handle([message], MINE);
    expect(statusOf(scene, 1)).to.equal("FAILED");
    expect(offsetsOf(scene)).to.deep.equal(["0", "1"]);
    expect(scene.redis.leftOf(1)).to.equal(10);
  });

  it("with the id of a settled order and other facts is parked and changes nothing", async () => {
    const scene = await opened();
    await scene.handle([await reserved(scene, 1)], MINE);
    const before = factsOf(scene);
    await scene.handle([rawMessage(9, { ...orderN(1), quantity: 2 })], MINE);
    expect(factsOf(scene)).to.deep.equal({ ...before, letters: 1 });
    expect(scene.redis.leftOf(1)).to.equal(9);
  });

  it("goes to the topic as it came, with its place and the reason", async () => {
    const scene = await opened();
    const raw = rawMessage(7, "{");
    await scene.handle([raw], MINE);
    expect(scene.deadLetters.letters).to.deep.equal([{ message: raw, error: "the value is not JSON" }]);
  });

  it("is told as an error: someone must look at the producer", async () => {
    const scene = await opened();
    await scene.handle([rawMessage(7, "{")], MINE);
    expect(scene.log.of("error").map(({ fields }) => fields["offset"])).to.deep.equal(["7"]);
  });
});

describe("a row that the database refuses", () => {
  it("is found by halving and parked alone; all others are decided", async () => {
    const scene = await opened(20);
    const batch = await Promise.all([1, 2, 3, 4, 5, 6, 7].map((n) => reserved(scene, n)));
    scene.database.refused.add(orderIdOf(5));
    expect(await scene.handle(batch, MINE)).to.equal("decided");
    expect(offsetsOf(scene)).to.deep.equal(["5"]);
    expect(reasonOf(scene, 5)).to.equal("invalid_message");
    expect([1, 2, 3, 4, 6, 7].map((n) => statusOf(scene, n))).to.deep.equal(Array(6).fill("SUCCESS"));
    expect(scene.redis.leftOf(1)).to.equal(14);
  });

  it("costs no more transactions than halving does", async () => {
    const scene = await opened(20);
    const batch = await Promise.all([1, 2, 3, 4, 5, 6, 7, 8].map((n) => reserved(scene, n)));
    scene.database.refused.add(orderIdOf(3));
    await scene.handle(batch, MINE);
    const ends = scene.database.calls.filter((call) => call === "commit" || call === "rollback");
    expect(ends.length).to.be.at.most(8);
  });

  it("may be one of several", async () => {
    const scene = await opened(20);
    const batch = await Promise.all([1, 2, 3, 4].map((n) => reserved(scene, n)));
    for (const n of [1, 4]) scene.database.refused.add(orderIdOf(n));
    await scene.handle(batch, MINE);
    expect(offsetsOf(scene)).to.deep.equal(["1", "4"]);
    expect([2, 3].map((n) => statusOf(scene, n))).to.deep.equal(["SUCCESS", "SUCCESS"]);
  });
});

describe("an outage", () => {
  let time: sinon.SinonFakeTimers;
  beforeEach(() => {
    time = sinon.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  });
  afterEach(() => {
    time.restore();
  });

  /** Runs the handler with all its waits cut short. @returns the waits, ms */
  async function outlast(work: Promise<unknown>): Promise<number[]> {
    const waits: number[] = [];
    const state = { over: false };
    work.finally(() => (state.over = true)).catch(() => undefined);
    for (let turn = 0; turn < 10_000 && !state.over; turn += 1) {
      await new Promise((resolve) => setImmediate(resolve));
      if (time.countTimers() === 0) continue;
      const before = time.now;
      time.next();
      waits.push(time.now - before);
    }
    return waits;
  }

  const outages: [string, unknown][] = [
    ["the database is away", new DomainError("not_ready", "The database did not take the batch.")],
    ["the connection breaks", Object.assign(new Error("read ECONNRESET"), { code: "ECONNRESET" })],
    ["something nobody thought of happens", new TypeError("undefined is not a function")],
  ];
  for (const [what, error] of outages) {
    it(`is waited for and nothing is parked when ${what}`, async () => {
      const scene = await opened();
      const batch = [await reserved(scene, 1), await reserved(scene, 2)];
      // Not a multiple of the writes in one attempt, so that an attempt that halves would come through in its middle.
      scene.database.faults.fail("write", error, 26);
      const handled = scene.handle(batch, MINE);
      await outlast(handled);
      expect(await handled).to.equal("decided");
      expect(scene.deadLetters.letters).to.deep.equal([]);
      expect(scene.database.tables.letters.size).to.equal(0);
      expect(scene.database.tables.settlements.size).to.equal(2);
    });
  }

  it("is waited for from 0.1 s up to 5 s at a time", async () => {
    const scene = await opened();
    const message = await reserved(scene, 1);
    scene.database.faults.fail("lockProducts", new Error("away"), 12);
    const waits = await outlast(scene.handle([message], MINE));
    expect(waits).to.have.lengthOf(12);
    expect(waits[0]).to.be.within(50, 100);
    expect(waits.slice(-3).every((ms) => ms >= 2_500 && ms <= 5_000)).to.equal(true);
  });

  it("that begins at COMMIT, whose outcome nobody knows, settles the orders once", async () => {
    const scene = await opened();
    const message = await reserved(scene, 1);
    scene.database.faults.fail("afterCommit", new DomainError("not_ready", "lost"));
    const handled = scene.handle([message], MINE);
    await outlast(handled);
    expect(await handled).to.equal("decided");
    expect(scene.database.tables.settlements.size).to.equal(1);
    expect(scene.redis.leftOf(1)).to.equal(9);
  });

  it("of the dead-letter topic keeps the offsets where they are until the letter is there", async () => {
    const scene = await opened();
    scene.deadLetters.faults.fail("park", new Error("no broker"), 3);
    const handled = scene.handle([rawMessage(1, "poison")], MINE);
    await outlast(handled);
    expect(await handled).to.equal("decided");
    expect(offsetsOf(scene)).to.deep.equal(["1"]);
  });

  it("of the dead-letter topic does not lose a message whose order is in the database by then", async () => {
    const scene = await opened();
    scene.deadLetters.faults.fail("park", new Error("no broker"));
    const handled = scene.handle([rawMessage(1, { ...orderN(1), unitPrice: 1 })], MINE);
    await outlast(handled);
    expect(offsetsOf(scene)).to.deep.equal(["1"]);
    expect(scene.deadLetters.letters[0]?.error).to.equal("price_mismatch");
  });

  it("and a crash before the dead-letter topic took it bring the message there on redelivery", async () => {
    const scene = await opened();
    const raw = rawMessage(1, { ...orderN(1), unitPrice: 1 });
    scene.deadLetters.faults.fail("park", new Error("no broker"), 1_000);
    let mine = true;
    const handled = scene.handle([raw], () => mine);
    await new Promise((resolve) => setImmediate(resolve));
    mine = false;
    await outlast(handled);
    expect(await handled).to.equal("abandoned");
    const next = createOrderPlacedHandler({
      store: scene.database.store,
      stock: scene.redis,
      deadLetters: {
        park: async (letters) => void scene.deadLetters.letters.push(...letters),
      },
      news: scene.news,
      log: scene.log,
      now: scene.clock.now,
      observe: () => undefined,
    });
    expect(await next([raw], MINE)).to.equal("decided");
    expect(offsetsOf(scene)).to.deep.equal(["1"]);
  });

  it("is given up when the partition went to another worker: nothing is resolved", async () => {
    const scene = await opened();
    const message = await reserved(scene, 1);
    scene.database.faults.fail("write", new Error("away"), 1_000);
    let mine = true;
    const handled = scene.handle([message], () => mine);
    await new Promise((resolve) => setImmediate(resolve));
    mine = false;
    await outlast(handled);
    expect(await handled).to.equal("abandoned");
    expect(scene.database.tables.orders.size).to.equal(0);
  });

  it("leaves a batch alone that is not mine from the first", async () => {
    const scene = await opened();
    expect(await scene.handle([await reserved(scene, 1)], () => false)).to.equal("abandoned");
    expect(scene.database.calls).to.deep.equal([]);
  });

  it("that hits while a poisoned batch is being halved is no reason to park its good messages", async () => {
    const scene = await opened(20);
    const batch = await Promise.all([1, 2, 3, 4].map((n) => reserved(scene, n)));
    scene.database.refused.add(orderIdOf(1));
    scene.database.faults.fail("commit", new DomainError("not_ready", "away"), 2);
    const handled = scene.handle(batch, MINE);
    await outlast(handled);
    expect(await handled).to.equal("decided");
    expect(new Set(offsetsOf(scene))).to.deep.equal(new Set(["1"]));
    expect(scene.database.tables.settlements.size).to.equal(3);
  });
});

describe("any sequence of batches", () => {
  it("leaves Redis and the database with the same units", async () => {
    const scene = await opened(5);
    const messages: RawMessage[] = [];
    for (let n = 1; n <= 5; n += 1) messages.push(await reserved(scene, n));
    await scene.handle(messages.slice(0, 2), MINE);
    await scene.handle(messages.slice(1, 4), MINE);
    await scene.handle(messages.toReversed(), MINE);
    expect(scene.database.tables.products.get(1)?.sold).to.equal(5);
    expect(scene.redis.leftOf(1)).to.equal(0);
    expect(scene.redis.reservedIn(1)).to.deep.equal([]);
  });
});
