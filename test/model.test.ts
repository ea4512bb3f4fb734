import { expect } from "chai";
import fc from "fast-check";
import sinon from "sinon";
import { createOrderService } from "../api/services/order-service.ts";
import { createStockGate } from "../api/services/stock-gate.ts";
import { DomainError } from "../shared/domain/errors.ts";
import type { OrderMessage } from "../shared/domain/order.ts";
import { cases, timeFor } from "../shared/testing/cases.ts";
import { createFakeClock } from "../shared/testing/clock.ts";
import { createFakeDatabase } from "../shared/testing/database.ts";
import {
  createFakeBacklogWatch,
  createFakeDeadLetterTopic,
  createFakeStockEpochs,
  createFakeDecisionNews,
} from "../shared/testing/fakes.ts";
import { createLogRecorder } from "../shared/testing/log.ts";
import { createFakeOrderClaims } from "../shared/testing/order-claims.ts";
import { createFakeOrderEvents, type PublishResult } from "../shared/testing/order-events.ts";
import { orderIdOf, rawMessage, sampleProduct, sampleUser } from "../shared/testing/samples.ts";
import { createFakeStockStore } from "../shared/testing/stock-store.ts";
import { createOrderPlacedHandler } from "../worker/handlers/order-placed.ts";
import { createCounterLoader } from "../worker/jobs/counter-loader.ts";
import { createReconciler } from "../worker/jobs/reconciler.ts";
import { createSweeper } from "../worker/jobs/sweeper.ts";

/**
 * Intake, worker, sweeper, reconciler and counter loader as they are, on in-memory ports, through any sequence of what
 * clients ask and what goes wrong. Afterwards everything that is left over is swept, delivered and reconciled, and then
 * the invariants (docs: what goes wrong) hold.
 */
const SEQUENCES = cases(1_000);
const STEPS_MAX = 60;
const USERS = 4;
const SWEEPABLE_MS = 5_000;
const SETTLED_MS = 9_800;

type Step =
  | {
      readonly do: "place";
      readonly user: number;
      readonly quantity: number;
      readonly key: number | undefined;
      readonly result: PublishResult | "reply lost" | "not sent";
    }
  | { readonly do: "die after reserve"; readonly user: number }
  | {
      readonly do: "deliver";
      readonly count: number;
      readonly then:
        "ok" | "die before commit" | "die after commit" | "no housekeeping" | "no dead-letter topic";
    }
  | { readonly do: "duplicate"; readonly which: number }
  | { readonly do: "poison"; readonly value: string }
  | { readonly do: "sweep"; readonly results: readonly PublishResult[] }
  | { readonly do: "reconcile" }
  | { readonly do: "tick"; readonly ms: number };

const result = fc.constantFrom<PublishResult>("ok", "ok", "fail_before", "fail_after");
const user = fc.integer({ min: 1, max: USERS });
const place = fc.record({
  do: fc.constant("place" as const),
  user,
  quantity: fc.integer({ min: 1, max: 3 }),
  key: fc.option(fc.nat({ max: 2 }), { nil: undefined }),
  result: fc.oneof(result, fc.constantFrom("reply lost" as const, "not sent" as const)),
});
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: place },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("die after reserve" as const), user }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("deliver" as const),
      count: fc.integer({ min: 1, max: 6 }),
      then: fc.constantFrom(
        "ok" as const,
        "ok" as const,
        "die before commit" as const,
        "die after commit" as const,
        "no housekeeping" as const,
        "no dead-letter topic" as const,
      ),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("duplicate" as const), which: fc.nat() }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("poison" as const),
      value: fc.constantFrom("", "{", "null", "{}"),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant("sweep" as const), results: fc.array(result, { maxLength: 4 }) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("reconcile" as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant("tick" as const), ms: fc.constantFrom(1, 1_000, 5_000, 11_000) }),
  },
);

function createWorld(stock: number, perUserLimit: number) {
  const clock = createFakeClock();
  const database = createFakeDatabase(clock.now);
  const redis = createFakeStockStore(clock.now);
  const claims = createFakeOrderClaims(clock.now);
  const events = createFakeOrderEvents((order) => void redis.markPublished([order]));
  const deadLetters = createFakeDeadLetterTopic();
  const backlog = createFakeBacklogWatch();
  const epochs = createFakeStockEpochs();
  const log = createLogRecorder();
  const product = sampleProduct({ stock, perUserLimit, endTime: clock.now() + 120_000 });
  database.tables.products.set(1, product);
  for (let id = 1; id <= USERS; id += 1) database.tables.users.set(id, sampleUser(id));
  const accepted = new Map<string, OrderMessage>();
  const answers = new Map<string, string>();
  const state = { delivered: 0, unsure: 0, orphans: 0, poisoned: 0, lost: false };
  const { products, store } = database;
  const intake = createOrderService({
    claims,
    stock: createStockGate({ stock: redis, epochs, log, observe: () => undefined }),
    events,
    overdue: () => false,
    products,
    log,
    now: clock.now,
    observe: () => undefined,
  });
  const handle = createOrderPlacedHandler({
    store,
    stock: redis,
    deadLetters,
    news: createFakeDecisionNews(),
    log,
    now: clock.now,
    observe: () => undefined,
    // A worker that waits is one that died there: its messages come again.
    backOff: () => new Promise(() => undefined),
  });
  const active = () => products.active(clock.now(), 86_400_000, 10);
  const sweeper = createSweeper({ products: active, stock: redis, events, log, observe: () => undefined });
  const reconciler = createReconciler({
    ...{ products: active, stock: redis, ledger: store, log },
    observe: () => undefined,
  });
  const loader = createCounterLoader({
    products: active,
    stock: redis,
    ledger: store,
    epochs,
    backlog,
    produceSettledMs: SETTLED_MS,
    log,
    observe: () => undefined,
    monotonicNow: clock.now,
  });
  return {
    clock,
    database,
    redis,
    claims,
    events,
    deadLetters,
    log,
    product,
    accepted,
    answers,
    state,
    take,
    comeToRest,
    rebuild,
  };

  async function take(one: Step): Promise<void> {
    switch (one.do) {
      case "place": {
        await placeOne(one);
        return;
      }
      case "die after reserve":
        state.orphans += 1;
        // As an order of its own: the process is gone before anybody hears of it.
        await redis.reserve({
          orderId: orderIdOf(state.orphans),
          userId: one.user,
          productId: 1,
          quantity: 1,
        });
        return;
      case "deliver": {
        await deliver(one.count, one.then);
        return;
      }
      case "duplicate": {
        const copy = events.log[events.log.length === 0 ? 0 : one.which % events.log.length];
        if (copy) events.log.push(copy);
        if (copy && !copy.orderId) state.poisoned += 1;
        return;
      }
      case "poison":
        state.poisoned += 1;
        events.log.push({ orderId: "", value: one.value });
        return;
      case "sweep":
        events.plan(...one.results);
        await sweeper.run();
        events.forgetPlan();
        return;
      case "reconcile": {
        await reconciler.run();
        return;
      }
      case "tick":
        clock.advance(one.ms);
    }
  }

  async function placeOne({ user: userId, quantity, key, result: how }: Extract<Step, { do: "place" }>) {
    if (how === "reply lost") redis.faults.fail("reserveReply", new Error("reply lost"));
    else if (how === "not sent") events.state.accepts = false;
    else events.plan(how);
    const idempotencyKey = key === undefined ? undefined : `key-of-sixteen-${key}-${quantity}`;
    try {
      const { order } = await intake.place({
        principal: { userId, role: "user", jti: "j", issuedAt: 0, expiresAt: 0 },
        productId: 1,
        quantity,
        traceId: "t",
        ...(idempotencyKey !== undefined && { idempotencyKey }),
      });
      const known = accepted.get(order.orderId);
      accepted.set(order.orderId, order);
      // The same key has the same answer, to the byte.
      if (known) expect(JSON.stringify(order)).to.equal(JSON.stringify(known));
    } catch (error) {
      if (!(error instanceof DomainError)) throw error;
      if (error.code === "outcome_unknown") state.unsure += 1;
    } finally {
      events.state.accepts = true;
      events.forgetPlan();
      redis.faults.forget();
    }
  }

  async function deliver(count: number, how: Extract<Step, { do: "deliver" }>["then"]): Promise<void> {
    const batch = events.log
      .slice(state.delivered, state.delivered + count)
      .map(({ value }, i) => rawMessage(state.delivered + i, value));
    if (batch.length === 0) return;
    const gone = new Error("the worker is gone");
    if (how === "die before commit") database.faults.fail("commit", gone);
    if (how === "die after commit") database.faults.fail("afterCommit", gone);
    if (how === "no housekeeping") redis.faults.fail("settle", gone);
    if (how === "no dead-letter topic") deadLetters.faults.fail("park", gone);
    const outcome = await Promise.race([handle(batch, () => true), turns()]);
    // Who did not come back is dead: its waits stand still for ever, and the next one starts from the same offset.
    if (outcome === "decided") state.delivered += batch.length;
    for (const faults of [database.faults, redis.faults, deadLetters.faults]) faults.forget();
  }

  /** Everything that is on its way arrives. */
  async function comeToRest(): Promise<void> {
    clock.advance(SWEEPABLE_MS);
    for (let round = 0; round < 3; round += 1) {
      await sweeper.run();
      while (state.delivered < events.log.length) await deliver(1_000, "ok");
      await reconciler.run();
    }
  }

  /** FLUSHALL, and what the worker does about it while the API answers not_ready. */
  async function rebuild(): Promise<void> {
    state.lost = true;
    redis.loseEverything();
    await loader.run();
    clock.advance(SETTLED_MS);
    backlog.state.end = BigInt(events.log.length);
    await loader.run();
    while (state.delivered < events.log.length) await deliver(1_000, "ok");
    backlog.state.committed = BigInt(state.delivered);
    await loader.run();
  }
}
type World = ReturnType<typeof createWorld>;

/** Enough turns for everything that needs no timer. */
async function turns(): Promise<"dead"> {
  for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  return "dead";
}

function checkAtAnyTime({ redis, product }: World): void {
  const left = redis.leftOf(1);
  if (left !== undefined) expect(left, "I3: 0 ≤ left ≤ stock").to.be.within(0, product.stock);
}

const unitsOf = (rows: readonly { readonly quantity: number }[]) =>
  rows.reduce((units, { quantity }) => units + quantity, 0);

function checkAtRest({ database, redis, product, accepted, state, events, deadLetters }: World): void {
  const { tables } = database;
  const rows = [...tables.orders.values()];
  const successes = rows.filter(({ status }) => status === "SUCCESS");
  for (const id of accepted.keys()) expect(tables.orders.has(id), `I1: ${id} was accepted`).to.equal(true);
  expect(tables.products.get(1)?.sold, "I2: sold = Σ SUCCESS").to.equal(unitsOf(successes));
  expect(unitsOf(successes), "I2: ≤ stock").to.be.at.most(product.stock);
  expect(redis.leftOf(1), "I3: left = stock − Σ SUCCESS").to.equal(product.stock - unitsOf(successes));
  expect(redis.reservedIn(1), "I3: no reservation").to.deep.equal([]);
  expect(redis.unpublishedIn(1), "I4: nothing unpublished").to.deep.equal([]);

  expect([...tables.settlements.keys()].sort(), "I5: one settlement per SUCCESS").to.deep.equal(
    successes.map(({ orderId }) => orderId).sort(),
  );
  for (const { orderId, quantity } of successes)
    expect(tables.settlements.get(orderId)?.amount, "I5: amount").to.equal(product.price * quantity);
  const total = tables.totals.get("product:1:KRW") ?? { count: 0, amount: 0 };
  expect(total, "I5: running totals").to.include({
    count: successes.length,
    amount: unitsOf(successes) * product.price,
  });
  for (let userId = 1; userId <= USERS; userId += 1) {
    const units = unitsOf(successes.filter((row) => row.userId === userId));
    expect(units, "I6: limit").to.be.at.most(product.perUserLimit);
    expect(redis.boughtBy(1, userId), "I6: the store counts the same").to.equal(units);
  }
  for (const { acceptedAt } of successes)
    expect(acceptedAt, "I7: window").to.be.within(product.startTime, product.endTime - 1);
  expect(rows.length, "I8: no row that nobody asked for").to.be.at.most(
    accepted.size + state.unsure + state.orphans,
  );
  for (const [id, path] of tables.history) expect(path, `I9: ${id}`).to.have.lengthOf(1);
  const parked = new Set(deadLetters.letters.map(({ message }) => message.offset));
  const poison = events.log.filter(({ orderId }) => orderId === "");
  expect(parked.size, "I11: dead letters = bad messages").to.equal(poison.length);
  if (!state.lost) expect(rows.length, "I12: accepted, then FAILED").to.equal(successes.length);
}

describe("any sequence of orders and mishaps", function () {
  this.timeout(timeFor(120_000));
  let time: sinon.SinonFakeTimers;
  beforeEach(() => {
    time = sinon.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  });
  afterEach(() => {
    time.restore();
  });

  const sale = { stock: fc.integer({ min: 1, max: 12 }), perUserLimit: fc.integer({ min: 1, max: 4 }) };
  const steps = fc.array(step, { maxLength: STEPS_MAX, size: "max" });

  async function openedWorld(stock: number, perUserLimit: number): Promise<World> {
    const world = createWorld(stock, perUserLimit);
    await world.redis.load({
      product: world.product,
      bought: world.database.store.boughtByProduct(1),
      epoch: 1,
    });
    return world;
  }

  it(`ends with every invariant in force (${SEQUENCES} sequences)`, async () => {
    await fc.assert(
      fc.asyncProperty(fc.record({ ...sale, steps }), async ({ stock, perUserLimit, steps: taken }) => {
        const world = await openedWorld(stock, perUserLimit);
        for (const one of taken) {
          await world.take(one);
          checkAtAnyTime(world);
        }
        await world.comeToRest();
        checkAtRest(world);
      }),
      { numRuns: SEQUENCES },
    );
  });

  it("ends so, too, when Redis loses its data in between, but for orders that only Redis knew", async () => {
    // Without keys: a key that Redis forgot may be used for another order.
    const unkeyed = fc.array(
      step.map((one) => (one.do === "place" ? { ...one, key: undefined } : one)),
      { maxLength: STEPS_MAX / 2, size: "max" },
    );
    const story = fc.record({ ...sale, first: unkeyed, second: unkeyed });
    await fc.assert(
      fc.asyncProperty(story, async ({ stock, perUserLimit, first, second }) => {
        const world = await openedWorld(stock, perUserLimit);
        for (const one of first) await world.take(one);
        await world.rebuild();
        for (const one of second) {
          await world.take(one);
          checkAtAnyTime(world);
        }
        await world.comeToRest();
        checkAtRest(world);
      }),
      { numRuns: SEQUENCES / 4 },
    );
  });
});
