import { expect } from "chai";
import { DomainError } from "../../shared/domain/errors.ts";
import type { OrderMessage } from "../../shared/domain/order.ts";
import { createFakeClock } from "../../shared/testing/clock.ts";
import { createFakeDatabase } from "../../shared/testing/database.ts";
import { createFakeStockEpochs } from "../../shared/testing/fakes.ts";
import { createLogRecorder } from "../../shared/testing/log.ts";
import { createFakeOrderClaims, FAKE_LEASE_MS } from "../../shared/testing/order-claims.ts";
import { createFakeOrderEvents } from "../../shared/testing/order-events.ts";
import { sampleProduct } from "../../shared/testing/samples.ts";
import { createFakeStockStore } from "../../shared/testing/stock-store.ts";
import { createStockGate } from "./stock-gate.ts";
import { createOrderService, type PlaceOrder } from "./order-service.ts";

const KEY = "0123456789abcdef";
const BROKEN = new Error("connection lost");

function createScene() {
  const clock = createFakeClock();
  const claims = createFakeOrderClaims(clock.now);
  const stock = createFakeStockStore(clock.now);
  const database = createFakeDatabase(clock.now);
  const log = createLogRecorder();
  const observed: string[] = [];
  const events = createFakeOrderEvents((order) => void stock.markPublished([order]));
  const gate = createStockGate({ stock, epochs: createFakeStockEpochs(), log, observe: () => undefined });
  const state = { overdue: false };
  const service = createOrderService({
    claims,
    stock: gate,
    events,
    overdue: () => state.overdue,
    products: database.products,
    log,
    now: clock.now,
    observe: (outcome) => void observed.push(outcome),
  });
  return { clock, claims, stock, gate, state, database, events, log, observed, service, place };

  function place(changes: Partial<PlaceOrder> = {}) {
    const principal = { userId: 1, role: "user", jti: "j", issuedAt: 0, expiresAt: 0 } as const;
    return service.place({ principal, productId: 1, quantity: 1, traceId: "trace1", ...changes });
  }
}
type Scene = ReturnType<typeof createScene>;

async function opened(changes: Parameters<typeof sampleProduct>[0] = {}): Promise<Scene> {
  const scene = createScene();
  const product = sampleProduct(changes);
  scene.database.tables.products.set(1, product);
  await scene.stock.load({ product, bought: scene.database.store.boughtByProduct(1), epoch: 1 });
  return scene;
}

/** The code of the DomainError that it must throw. */
async function refusalOf(placing: Promise<unknown>): Promise<DomainError> {
  try {
    await placing;
  } catch (error) {
    if (error instanceof DomainError) return error;
    throw error;
  }
  throw new Error("it was not refused");
}
const codeOf = async (placing: Promise<unknown>) => (await refusalOf(placing)).code;
const endingsOf = ({ claims }: Scene) => claims.endings.map(({ how }) => how);
const inLog = ({ events }: Scene) => events.log.map(({ value }) => JSON.parse(value) as OrderMessage);

describe("placing an order", () => {
  it("is answered with the order once the log has it", async () => {
    const scene = await opened();
    const { order, replayed } = await scene.place();
    expect(replayed).to.equal(false);
    expect(order).to.include({ userId: 1, productId: 1, quantity: 1, unitPrice: 99_000, currency: "KRW" });
    expect(inLog(scene)).to.deep.equal([order]);
    expect(scene.stock.leftOf(1)).to.equal(9);
  });

  it("takes the price and the time of acceptance from the store, never from the buyer", async () => {
    const scene = await opened({ price: 5 });
    scene.clock.advance(1_234);
    const claimed = { unitPrice: 1, price: 1, currency: "XXX", acceptedAt: 1 };
    const { order } = await scene.place({ quantity: 1, ...claimed });
    expect(order).to.include({ unitPrice: 5, currency: "KRW", acceptedAt: scene.clock.now() });
    expect(inLog(scene)).to.deep.equal([order]);
  });

  it("frees the user's lock on the product, so that the next order can come at once", async () => {
    const scene = await opened({ perUserLimit: 2 });
    await scene.place();
    expect(scene.claims.isLocked(1, 1)).to.equal(false);
    expect((await scene.place()).replayed).to.equal(false);
  });

  it("makes a new order each time without a key", async () => {
    const scene = await opened({ perUserLimit: 2 });
    const [a, b] = [await scene.place(), await scene.place()];
    expect(a.order.orderId).not.to.equal(b.order.orderId);
    expect(scene.stock.leftOf(1)).to.equal(8);
  });

  it("is noted as the user's pending order", async () => {
    const scene = await opened();
    const { order } = await scene.place();
    expect(await scene.claims.pendingOf(1)).to.deep.equal(new Map([[order.orderId, 1]]));
  });
});

describe("an order that is refused for good", () => {
  const cases: [string, Parameters<typeof sampleProduct>[0], Partial<PlaceOrder>, number][] = [
    ["sold_out", { stock: 1, perUserLimit: 2 }, { quantity: 2 }, 0],
    ["limit_exceeded", {}, { quantity: 2 }, 0],
    ["sale_not_open", {}, {}, -1],
    ["sale_closed", {}, {}, 24 * 3_600_000],
  ];
  for (const [code, product, changes, offsetMs] of cases) {
    it(`hears ${code}; nothing is taken, nothing reaches the log`, async () => {
      const scene = await opened(product);
      scene.clock.advance(offsetMs);
      const left = scene.stock.leftOf(1);
      expect(await codeOf(scene.place(changes))).to.equal(code);
      expect(scene.events.log).to.deep.equal([]);
      expect(scene.stock.leftOf(1)).to.equal(left);
      expect((await scene.claims.pendingOf(1)).size).to.equal(0);
      expect(scene.observed).to.deep.equal([code]);
    });

    it(`hears ${code} again under its key, with the first trace id, whatever has changed since`, async () => {
      const scene = await opened(product);
      scene.clock.advance(offsetMs);
      const first = await refusalOf(scene.place({ ...changes, idempotencyKey: KEY }));
      scene.clock.advance(-offsetMs);
      scene.stock.loseEverything();
      const again = await refusalOf(scene.place({ ...changes, idempotencyKey: KEY, traceId: "trace2" }));
      expect([again.code, again.message]).to.deep.equal([first.code, first.message]);
      expect(again.details.replayOf).to.deep.equal({ traceId: "trace1" });
    });
  }

  it("hears not_found when the product does not exist, and so again under its key", async () => {
    const scene = await opened();
    const unknown = { productId: 77, idempotencyKey: KEY };
    expect(await codeOf(scene.place(unknown))).to.equal("not_found");
    expect((await refusalOf(scene.place(unknown))).details.replayOf).to.deep.equal({ traceId: "trace1" });
  });
});

describe("an order that cannot be taken right now", () => {
  it("hears not_ready before anything is taken when the log does not take orders", async () => {
    const scene = await opened();
    scene.events.state.accepts = false;
    const refused = await refusalOf(scene.place({ idempotencyKey: KEY }));
    expect([refused.code, refused.details.retryAfterS]).to.deep.equal(["not_ready", 1]);
    expect(scene.stock.leftOf(1)).to.equal(10);
    expect(endingsOf(scene)).to.deep.equal(["forget"]);
  });

  it("hears not_ready when its claim cannot be made", async () => {
    const scene = await opened();
    scene.claims.faults.fail("begin", BROKEN);
    expect(await codeOf(scene.place())).to.equal("not_ready");
    expect(scene.stock.leftOf(1)).to.equal(10);
  });

  it("hears not_ready, never sold_out and never success, when the counters are missing", async () => {
    const scene = await opened();
    scene.stock.loseEverything();
    expect(await codeOf(scene.place({ idempotencyKey: KEY }))).to.equal("not_ready");
    expect(scene.events.log).to.deep.equal([]);
    expect(endingsOf(scene)).to.deep.equal(["forget"]);
  });

  it("hears not_ready when the counters are missing and the database is away, too", async () => {
    const scene = await opened();
    scene.stock.loseEverything();
    scene.database.faults.fail("findById", BROKEN);
    expect(await codeOf(scene.place({ idempotencyKey: KEY }))).to.equal("not_ready");
    expect(endingsOf(scene)).to.deep.equal(["forget"]);
  });

  it("may come again under the same key as if new: not_ready is not remembered", async () => {
    const scene = await opened();
    scene.events.state.accepts = false;
    await refusalOf(scene.place({ idempotencyKey: KEY }));
    scene.events.state.accepts = true;
    expect((await scene.place({ idempotencyKey: KEY })).replayed).to.equal(false);
  });
});

describe("an order whose outcome is unknown", () => {
  for (const how of ["fail_before", "fail_after"] as const) {
    it(`keeps its units when the hand-over is not confirmed (${how}): the log may have it`, async () => {
      const scene = await opened();
      scene.events.plan(how);
      const refused = await refusalOf(scene.place({ idempotencyKey: KEY }));
      expect([refused.code, refused.details.retryAfterS]).to.deep.equal(["outcome_unknown", 1]);
      expect(scene.stock.leftOf(1)).to.equal(9);
      expect(scene.stock.reservedIn(1)).to.have.lengthOf(1);
      expect(scene.stock.unpublishedIn(1)).to.have.lengthOf(1);
    });

    it(`goes on under its key with the same order, and takes nothing more (${how})`, async () => {
      const scene = await opened();
      scene.events.plan(how);
      await refusalOf(scene.place({ idempotencyKey: KEY }));
      const [reserved] = scene.stock.reservedIn(1);
      const { order } = await scene.place({ idempotencyKey: KEY });
      expect(order).to.deep.equal(reserved);
      expect(scene.stock.leftOf(1)).to.equal(9);
      expect(new Set(inLog(scene).map(({ orderId }) => orderId)).size).to.equal(1);
    });
  }

  it("stays the user's pending order", async () => {
    const scene = await opened();
    scene.events.plan("fail_after");
    await refusalOf(scene.place());
    expect((await scene.claims.pendingOf(1)).size).to.equal(1);
    expect(endingsOf(scene)).to.deep.equal(["leaveOpen"]);
  });

  it("is kept open when the store's reply is lost: the units may be taken", async () => {
    const scene = await opened();
    scene.stock.faults.fail("reserveReply", BROKEN);
    expect(await codeOf(scene.place({ idempotencyKey: KEY }))).to.equal("outcome_unknown");
    expect(endingsOf(scene)).to.deep.equal(["leaveOpen"]);
    expect(scene.stock.leftOf(1)).to.equal(9);
    await scene.place({ idempotencyKey: KEY });
    expect(scene.stock.leftOf(1)).to.equal(9);
  });

  it("is not forgotten by a second attempt that cannot be taken", async () => {
    const scene = await opened();
    scene.events.plan("fail_before");
    await refusalOf(scene.place({ idempotencyKey: KEY }));
    scene.events.state.accepts = false;
    expect(await codeOf(scene.place({ idempotencyKey: KEY }))).to.equal("not_ready");
    expect(endingsOf(scene)).to.deep.equal(["leaveOpen", "leaveOpen"]);
    expect((await scene.claims.pendingOf(1)).size).to.equal(1);
    scene.events.state.accepts = true;
    await scene.place({ idempotencyKey: KEY });
    expect(scene.stock.leftOf(1)).to.equal(9);
  });

  it("is not forgotten when the counters go missing before the second attempt", async () => {
    const scene = await opened();
    scene.events.plan("fail_after");
    await refusalOf(scene.place({ idempotencyKey: KEY }));
    scene.stock.loseEverything();
    expect(await codeOf(scene.place({ idempotencyKey: KEY }))).to.equal("not_ready");
    expect(endingsOf(scene)).to.deep.equal(["leaveOpen", "leaveOpen"]);
  });

  it("is answered, and takes nothing, when it was decided before its second attempt", async () => {
    const scene = await opened();
    scene.events.plan("fail_after");
    await refusalOf(scene.place({ idempotencyKey: KEY }));
    const [order] = scene.stock.reservedIn(1);
    if (!order) throw new Error("no reservation");
    await scene.stock.settle([{ order, as: "SUCCESS" }]);
    const again = await scene.place({ idempotencyKey: KEY });
    expect(again).to.deep.equal({ order, replayed: true });
    expect(scene.stock.leftOf(1)).to.equal(9);
    expect(scene.events.log).to.have.lengthOf(1);
  });

  it("is told in the log with its order id", async () => {
    const scene = await opened();
    scene.events.plan("fail_before");
    await refusalOf(scene.place());
    const [order] = scene.stock.reservedIn(1);
    expect(scene.log.of("warn")[0]?.fields["orderId"]).to.equal(order?.orderId);
  });
});

describe("an Idempotency-Key", () => {
  it("gives the first answer again, and takes nothing, also when the sale is sold out by then", async () => {
    const scene = await opened({ stock: 1 });
    const first = await scene.place({ idempotencyKey: KEY });
    const again = await scene.place({ idempotencyKey: KEY });
    expect(again).to.deep.equal({ order: first.order, replayed: true });
    expect(scene.events.log).to.have.lengthOf(1);
    expect(scene.observed).to.deep.equal(["accepted", "replayed"]);
  });

  it("is refused for another product and for another quantity", async () => {
    const scene = await opened({ perUserLimit: 5 });
    await scene.place({ idempotencyKey: KEY });
    expect(await codeOf(scene.place({ idempotencyKey: KEY, productId: 2 }))).to.equal(
      "idempotency_key_reused",
    );
    expect(await codeOf(scene.place({ idempotencyKey: KEY, quantity: 2 }))).to.equal(
      "idempotency_key_reused",
    );
    expect(scene.stock.leftOf(1)).to.equal(9);
  });

  it("of another user is another key", async () => {
    const scene = await opened();
    const mine = await scene.place({ idempotencyKey: KEY });
    const principal = { userId: 2, role: "user", jti: "k", issuedAt: 0, expiresAt: 0 } as const;
    const theirs = await scene.place({ idempotencyKey: KEY, principal });
    expect(theirs.replayed).to.equal(false);
    expect(theirs.order.orderId).not.to.equal(mine.order.orderId);
  });

  it("is forgotten after 24 hours: then it stands for a new order", async () => {
    const scene = await opened({ perUserLimit: 2, endTime: sampleProduct().endTime + 86_400_000 });
    const first = await scene.place({ idempotencyKey: KEY });
    scene.clock.advance(24 * 3_600_000);
    const second = await scene.place({ idempotencyKey: KEY });
    expect(second.replayed).to.equal(false);
    expect(second.order.orderId).not.to.equal(first.order.orderId);
  });

  it("makes one order of fifty requests at once", async () => {
    const scene = await opened({ perUserLimit: 50, stock: 50 });
    const answers = await Promise.allSettled(
      Array.from({ length: 50 }, () => scene.place({ idempotencyKey: KEY })),
    );
    const orders = answers.flatMap((answer) =>
      answer.status === "fulfilled" ? [answer.value.order.orderId] : [],
    );
    expect(new Set(orders).size).to.equal(1);
    expect(scene.stock.leftOf(1)).to.equal(49);
    for (const answer of answers)
      if (answer.status === "rejected") expect(answer.reason).to.have.property("code", "order_in_progress");
  });

  it("of a process that died is taken over after its lease with the order id that it had", async () => {
    const scene = await opened();
    scene.claims.faults.fail("answer", BROKEN);
    const first = await scene.place({ idempotencyKey: KEY });
    expect(await codeOf(scene.place({ idempotencyKey: KEY }))).to.equal("order_in_progress");
    scene.clock.advance(FAKE_LEASE_MS);
    const again = await scene.place({ idempotencyKey: KEY });
    expect(again.order).to.deep.equal(first.order);
    expect(scene.stock.leftOf(1)).to.equal(9);
  });

  it("that Redis has forgotten still stands for the same order on the same day", async () => {
    const scene = await opened({ perUserLimit: 2 });
    const first = await scene.place({ idempotencyKey: KEY });
    const restarted = createOrderService({
      claims: createFakeOrderClaims(scene.clock.now),
      stock: scene.gate,
      events: scene.events,
      overdue: () => false,
      products: scene.database.products,
      log: scene.log,
      now: scene.clock.now,
      observe: () => undefined,
    });
    const principal = { userId: 1, role: "user", jti: "j", issuedAt: 0, expiresAt: 0 } as const;
    const again = await restarted.place({
      principal,
      productId: 1,
      quantity: 1,
      idempotencyKey: KEY,
      traceId: "t",
    });
    expect(again.order).to.deep.equal(first.order);
    expect(scene.stock.leftOf(1)).to.equal(9);
  });
});

describe("two orders of one user on one product at once", () => {
  it("are one order and one order_in_progress with Retry-After", async () => {
    const scene = await opened({ perUserLimit: 5 });
    const [first, second] = await Promise.allSettled([scene.place(), scene.place()]);
    expect(first.status).to.equal("fulfilled");
    expect(second).to.have.nested.property("reason.code", "order_in_progress");
    expect(second).to.have.nested.property("reason.details.retryAfterS", 1);
    expect(scene.stock.leftOf(1)).to.equal(9);
  });

  it("do not stand in the way of another user", async () => {
    const scene = await opened();
    const principal = { userId: 2, role: "user", jti: "k", issuedAt: 0, expiresAt: 0 } as const;
    await Promise.all([scene.place(), scene.place({ principal })]);
    expect(scene.stock.leftOf(1)).to.equal(8);
  });
});

describe("what intake tells the metrics", () => {
  it("is internal for a bug", async () => {
    const scene = await opened();
    scene.events.accepting = () => {
      throw new TypeError("a bug");
    };
    const thrown: unknown = await scene.place().catch((error: unknown) => error);
    expect(thrown).to.be.instanceOf(TypeError);
    expect(scene.observed).to.deep.equal(["internal"]);
  });
});
