import { randomInt } from "node:crypto";
import { expect } from "chai";
import fc from "fast-check";
import { v7 as uuidv7 } from "uuid";
import type { OrderMessage } from "../shared/domain/order.ts";
import type { OrderClaim, ReserveOutcome } from "../shared/domain/ports.ts";
import type { Product } from "../shared/domain/product.ts";
import { connectRedis, type RedisClient } from "../shared/redis/client.ts";
import { keys, tombstoneBucket } from "../shared/redis/keys.ts";
import { unpackOrder } from "../shared/redis/packed-order.ts";
import { createJobLock, createRedlock } from "../shared/redis/lock.ts";
import { createOrderClaims } from "../shared/redis/order-claims.ts";
import { createRevocationList, type RevocationList } from "../shared/redis/revocations.ts";
import { redisProblem } from "../shared/redis/server-checks.ts";
import { createStockStore } from "../shared/redis/stock-store.ts";
import { cases, timeFor } from "../shared/testing/cases.ts";
import { createLogRecorder } from "../shared/testing/log.ts";
import { sampleProduct } from "../shared/testing/samples.ts";

const SEQUENCES = cases(2_000);
const ORDERS = 6;
const USERS = 3;
const DEADLINE_MS = 5_000;

let redis: RedisClient;
const log = createLogRecorder();
const connect = (name: string) =>
  connectRedis({
    url: process.env["TEST_REDIS_URL"] ?? "redis://127.0.0.1:6379",
    name,
    onError: () => undefined,
  });

before(async () => {
  redis = await connect("redis-scripts");
});
after(async () => {
  await redis.quit();
});

// Ids that no other test has; what was written under them goes away after each test.
let nextId = randomInt(1, 2 ** 40) * 1_000;
const used: number[] = [];
function freshId(): number {
  nextId += 1;
  used.push(nextId);
  return nextId;
}
afterEach(async () => {
  for (const id of used.splice(0)) await forget(id);
});
async function forget(id: number): Promise<void> {
  const found = [...(await redis.keys(`{p:${id}}*`)), ...(await redis.keys(`{u:${id}}*`))];
  await Promise.all(found.map((key) => redis.del(key)));
}

const nobody = async function* (): AsyncIterable<readonly { userId: number; quantity: number }[]> {};
const openSale = (id: number, changes: Partial<Product> = {}): Product =>
  sampleProduct({ id, startTime: Date.now() - 60_000, endTime: Date.now() + 600_000, ...changes });

async function rejectionOf(work: Promise<unknown>): Promise<unknown> {
  return await work.then(
    () => {
      throw new Error("it did not reject");
    },
    (error: unknown) => error,
  );
}

/** Until it holds, or the deadline: then it says so. */
async function eventually(what: string, holds: () => boolean | Promise<boolean>, deadlineMs = DEADLINE_MS) {
  const deadline = performance.now() + deadlineMs;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`not within ${deadlineMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

type Step =
  | { readonly do: "reserve"; readonly order: number; readonly user: number; readonly quantity: number }
  | {
      readonly do: "settle";
      readonly orders: readonly { order: number; as: "SUCCESS" | "FAILED"; known: boolean }[];
    }
  | { readonly do: "markPublished"; readonly orders: readonly number[] }
  | { readonly do: "load"; readonly sold: number }
  | { readonly do: "lose counters" };

const order = fc.nat({ max: ORDERS - 1 });
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant("reserve" as const),
      order,
      user: fc.nat({ max: USERS - 1 }),
      quantity: fc.integer({ min: 1, max: 4 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("settle" as const),
      orders: fc.array(
        fc.record({ order, as: fc.constantFrom("SUCCESS" as const, "FAILED" as const), known: fc.boolean() }),
        { minLength: 1, maxLength: 3 },
      ),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("markPublished" as const),
      orders: fc.array(order, { minLength: 1, maxLength: 3 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant("load" as const), sold: fc.integer({ min: 0, max: 5 }) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("lose counters" as const) }) },
);

/** What the scripts must do, said once more without Redis. */
function createModel(stock: number, perUserLimit: number) {
  let left: number | undefined;
  const bought = new Map<number, number>();
  const reservations = new Map<number, { user: number; quantity: number }>();
  const tombstones = new Map<number, "S" | "F">();
  const unpublished = new Set<number>();
  const add = (user: number, units: number) => {
    const sum = (bought.get(user) ?? 0) + units;
    if (sum > 0) bought.set(user, sum);
    else bought.delete(user);
  };
  return {
    apply(taken: Step): string | undefined {
      switch (taken.do) {
        case "reserve":
          return reserve(taken);
        case "settle":
          for (const one of taken.orders) settle(one);
          return undefined;
        case "markPublished":
          for (const one of taken.orders) unpublished.delete(one);
          return undefined;
        case "load":
          return load(taken.sold);
        case "lose counters":
          left = undefined;
          return undefined;
      }
    },
    state: () => ({ left, bought, reservations, tombstones, unpublished }),
  };

  function reserve({ order: id, user, quantity }: Extract<Step, { do: "reserve" }>): string {
    if (reservations.has(id)) return "reserved";
    if (tombstones.has(id)) return "already_decided";
    if (left === undefined) return "not_loaded";
    if ((bought.get(user) ?? 0) + quantity > perUserLimit) return "limit_exceeded";
    if (left < quantity) return "sold_out";
    left -= quantity;
    add(user, quantity);
    reservations.set(id, { user, quantity });
    unpublished.add(id);
    return "reserved";
  }

  function settle({ order: id, as, known }: { order: number; as: "SUCCESS" | "FAILED"; known: boolean }) {
    const reservation = reservations.get(id);
    if (reservation && as === "FAILED") {
      if (left !== undefined) left += reservation.quantity;
      add(reservation.user, -reservation.quantity);
    }
    reservations.delete(id);
    unpublished.delete(id);
    if ((reservation || known) && !tombstones.has(id)) tombstones.set(id, as === "SUCCESS" ? "S" : "F");
  }

  function load(sold: number): string {
    if (left !== undefined) return "present";
    left = stock - sold;
    bought.clear();
    for (const { user, quantity } of reservations.values()) {
      left -= quantity;
      add(user, quantity);
    }
    return "loaded";
  }
}

describe("the scripts of a product's stock", function () {
  this.timeout(timeFor(120_000));

  it(`do what the model does, over ${SEQUENCES} sequences of steps`, async () => {
    const store = createStockStore(redis);
    const sequence = fc.record({
      stock: fc.integer({ min: 1, max: 8 }),
      perUserLimit: fc.integer({ min: 1, max: 5 }),
      steps: fc.array(step, { maxLength: 14 }),
    });
    await fc.assert(
      fc.asyncProperty(sequence, async ({ stock, perUserLimit, steps }) => {
        const product = openSale(freshId(), { stock, perUserLimit });
        const ids = Array.from({ length: ORDERS }, () => uuidv7());
        const model = createModel(stock, perUserLimit);
        try {
          for (const taken of [{ do: "load", sold: 0 } as const, ...steps]) {
            expect(await runStep(product, ids, taken)).to.equal(model.apply(taken), taken.do);
          }
          expect(await stateOf(product.id, ids)).to.deep.equal(plain(model.state()));
        } finally {
          await forgetProduct(product.id, ids);
          used.pop();
        }
      }),
      { numRuns: SEQUENCES },
    );

    async function runStep(
      product: Product,
      ids: readonly string[],
      taken: Step,
    ): Promise<string | undefined> {
      const idOf = (n: number) => ids[n] ?? "";
      const productId = product.id;
      switch (taken.do) {
        case "reserve": {
          const { user, quantity } = taken;
          const reserved = await store.reserve({
            orderId: idOf(taken.order),
            userId: user + 1,
            productId,
            quantity,
          });
          return reserved.outcome;
        }
        case "settle":
          await store.settle(
            taken.orders.map(({ order: n, as, known }) => ({
              as,
              order: known ? messageOf(product, idOf(n)) : { orderId: idOf(n), userId: 1, productId },
            })),
          );
          return undefined;
        case "markPublished":
          await store.markPublished(taken.orders.map((n) => ({ orderId: idOf(n), productId })));
          return undefined;
        case "load":
          return await store.load({ product: { ...product, sold: taken.sold }, bought: nobody(), epoch: 1 });
        case "lose counters":
          await redis.del(keys.stock(productId));
          return undefined;
      }
    }
  });

  function messageOf({ id: productId, price, currency }: Product, orderId: string): OrderMessage {
    const acceptedAt = Date.now();
    return { v: 1, orderId, userId: 1, productId, quantity: 1, unitPrice: price, currency, acceptedAt };
  }

  function plain({
    left,
    bought,
    reservations,
    tombstones,
    unpublished,
  }: ReturnType<ReturnType<typeof createModel>["state"]>) {
    const byNumber = (a: readonly [number, unknown], b: readonly [number, unknown]) => a[0] - b[0];
    return {
      left,
      bought: [...bought].sort(byNumber),
      reservations: [...reservations].map(([n, { user, quantity }]) => [n, { user, quantity }]).sort(),
      tombstones: [...tombstones].sort(byNumber),
      unpublished: [...unpublished].sort((a, b) => a - b),
    };
  }

  async function stateOf(productId: number, ids: readonly string[]) {
    const bucket = tombstoneBucket(ids[0] ?? "").bucket;
    const lastBucket = tombstoneBucket(ids.at(-1) ?? "").bucket;
    const [left, bought, reservations, decided, lateDecided, unpublished] = await Promise.all([
      redis.hget(keys.stock(productId), "left"),
      redis.hgetall(keys.bought(productId)),
      redis.hgetall(keys.reservations(productId)),
      redis.hgetall(keys.decided(productId, bucket)),
      redis.hgetall(keys.decided(productId, lastBucket)),
      redis.zrange(keys.unpublished(productId), 0, -1),
    ]);
    const numberOf = (id: string) => ids.indexOf(id);
    return plain({
      left: left === null ? undefined : Number(left),
      bought: new Map(Object.entries(bought).map(([user, units]) => [Number(user) - 1, Number(units)])),
      reservations: new Map(
        Object.entries(reservations).map(([id, value]) => {
          const { userId, quantity } = unpackOrder(id, productId, value);
          return [numberOf(id), { user: userId - 1, quantity }];
        }),
      ),
      tombstones: new Map(
        Object.entries({ ...decided, ...lateDecided }).map(([id, text]) => [
          numberOf(id),
          text[0] as "S" | "F",
        ]),
      ),
      unpublished: new Set(unpublished.map(numberOf)),
    });
  }

  async function forgetProduct(productId: number, ids: readonly string[]): Promise<void> {
    await redis.del(
      keys.stock(productId),
      keys.reservations(productId),
      keys.unpublished(productId),
      keys.bought(productId),
      ...new Set(ids.map((id) => keys.decided(productId, tombstoneBucket(id).bucket))),
    );
  }
});

describe("reserve", () => {
  it("answers with the message as it will stand in the log, in the contract's order of fields", async () => {
    const store = createStockStore(redis);
    const [productId, userId, orderId] = [freshId(), freshId(), uuidv7()];
    await store.load({ product: openSale(productId), bought: nobody(), epoch: 1 });
    const reserved = await store.reserve({ orderId, userId, productId, quantity: 1 });
    if (reserved.outcome !== "reserved") throw new Error(reserved.outcome);
    expect(JSON.parse(reserved.value)).to.deep.equal(reserved.order);
    expect(Object.keys(reserved.order)).to.deep.equal([
      "v",
      "orderId",
      "userId",
      "productId",
      "quantity",
      "unitPrice",
      "currency",
      "acceptedAt",
    ]);
    expect(Math.abs(reserved.order.acceptedAt - Date.now())).to.be.below(2_000);
  });

  it("says the same to the byte to a second call, before and after the order is decided", async () => {
    const store = createStockStore(redis);
    const [productId, userId, orderId] = [freshId(), freshId(), uuidv7()];
    await store.load({ product: openSale(productId), bought: nobody(), epoch: 1 });
    const input = { orderId, userId, productId, quantity: 1 };
    const first = await store.reserve(input);
    expect(await store.reserve(input)).to.deep.equal(first);
    if (first.outcome !== "reserved") throw new Error(first.outcome);
    await store.settle([{ order: first.order, as: "SUCCESS" }]);
    expect(await store.reserve(input)).to.deep.equal({ outcome: "already_decided", order: first.order });
    expect((await store.left([productId])).get(productId)).to.equal(9);
  });

  const windows: [ReserveOutcome["outcome"], string, number, number][] = [
    ["sale_not_open", "before the start", 60_000, 120_000],
    ["sale_closed", "after the end", -120_000, -60_000],
    ["reserved", "in between", -60_000, 60_000],
  ];
  for (const [outcome, when, start, end] of windows) {
    it(`by Redis' clock ${when} is ${outcome}`, async () => {
      const store = createStockStore(redis);
      const productId = freshId();
      const product = openSale(productId, { startTime: Date.now() + start, endTime: Date.now() + end });
      await store.load({ product, bought: nobody(), epoch: 1 });
      const reserved = await store.reserve({ orderId: uuidv7(), userId: freshId(), productId, quantity: 1 });
      expect(reserved.outcome).to.equal(outcome);
    });
  }

  it("of one unit by fifty buyers at once has one winner", async () => {
    const store = createStockStore(redis);
    const productId = freshId();
    await store.load({ product: openSale(productId, { stock: 1 }), bought: nobody(), epoch: 1 });
    const outcomes = await Promise.all(
      Array.from({ length: 50 }, (_, n) =>
        store.reserve({ orderId: uuidv7(), userId: n + 1, productId, quantity: 1 }),
      ),
    );
    expect(outcomes.filter(({ outcome }) => outcome === "reserved")).to.have.lengthOf(1);
    expect(outcomes.filter(({ outcome }) => outcome === "sold_out")).to.have.lengthOf(49);
  });

  it("by one user many times at once ends at the limit, and of one order many times at once takes once", async () => {
    const store = createStockStore(redis);
    const [productId, userId, orderId] = [freshId(), freshId(), uuidv7()];
    await store.load({ product: openSale(productId, { perUserLimit: 3 }), bought: nobody(), epoch: 1 });
    const same = { orderId, userId, productId, quantity: 2 };
    const others = Array.from({ length: 5 }, () => ({ ...same, orderId: uuidv7(), quantity: 1 }));
    const outcomes = await Promise.all([same, ...others, same].map(store.reserve));
    expect(outcomes.map(({ outcome }) => outcome)).to.deep.equal([
      ...["reserved", "reserved"],
      ...["limit_exceeded", "limit_exceeded", "limit_exceeded", "limit_exceeded", "reserved"],
    ]);
    expect(outcomes.at(-1)).to.deep.equal(outcomes[0]);
    expect((await store.counters([productId])).get(productId)).to.include({ left: 7, held: 3 });
    expect(await redis.hgetall(keys.bought(productId))).to.deep.equal({ [userId]: "3" });
  });

  it("takes nothing while the counters are missing: nothing is not a full stock", async () => {
    const store = createStockStore(redis);
    const [productId, userId, orderId] = [freshId(), freshId(), uuidv7()];
    const input = { orderId, userId, productId, quantity: 1 };
    expect(await store.reserve(input)).to.deep.equal({ outcome: "not_loaded" });
    await store.load({ product: openSale(productId), bought: nobody(), epoch: 1 });
    await store.shut(productId);
    expect(await store.reserve(input)).to.deep.equal({ outcome: "not_loaded" });
    expect(await store.findReservation(productId, orderId)).to.equal(null);
  });

  it("keeps a price of 10¹² and ids beyond 2³² exact", async () => {
    const store = createStockStore(redis);
    const [productId, userId, orderId] = [freshId(), 2 ** 50 + 1, uuidv7()];
    await store.load({
      product: openSale(productId, { price: 1_000_000_000_000 }),
      bought: nobody(),
      epoch: 1,
    });
    const reserved = await store.reserve({ orderId, userId, productId, quantity: 1 });
    if (reserved.outcome !== "reserved") throw new Error(reserved.outcome);
    expect(reserved.order).to.include({ userId, productId, unitPrice: 1_000_000_000_000 });
    await store.settle([{ order: reserved.order, as: "FAILED" }]);
    expect(await redis.hgetall(keys.bought(productId))).to.deep.equal({});
    await redis.hdel(keys.pending(userId), orderId);
  });
});

describe("settle", () => {
  it("gives a unit back once, however often and however parallel it is told to", async () => {
    const store = createStockStore(redis);
    const productId = freshId();
    await store.load({
      product: openSale(productId, { stock: 20, perUserLimit: 20 }),
      bought: nobody(),
      epoch: 1,
    });
    const reserved = await Promise.all(
      Array.from({ length: 20 }, () =>
        store.reserve({ orderId: uuidv7(), userId: 1, productId, quantity: 1 }),
      ),
    );
    const failed = reserved.flatMap((one) =>
      one.outcome === "reserved" ? [{ order: one.order, as: "FAILED" as const }] : [],
    );
    await Promise.all(Array.from({ length: 50 }, () => store.settle(failed)));
    expect((await store.left([productId])).get(productId)).to.equal(20);
  });

  it("gives back what was reserved, whatever quantity the caller claims", async () => {
    const store = createStockStore(redis);
    const [productId, userId, orderId] = [freshId(), freshId(), uuidv7()];
    await store.load({ product: openSale(productId), bought: nobody(), epoch: 1 });
    const one = await store.reserve({ orderId, userId, productId, quantity: 1 });
    if (one.outcome !== "reserved") throw new Error(one.outcome);
    await store.settle([{ order: { ...one.order, quantity: 7 }, as: "FAILED" }]);
    expect((await store.left([productId])).get(productId)).to.equal(10);
  });

  it("takes more orders than one call may hold, over several products", async () => {
    const store = createStockStore(redis);
    const products = [freshId(), freshId()];
    for (const id of products)
      await store.load({
        product: openSale(id, { stock: 300, perUserLimit: 100 }),
        bought: nobody(),
        epoch: 1,
      });
    const reserved = await Promise.all(
      Array.from({ length: 600 }, (_, n) =>
        store.reserve({
          orderId: uuidv7(),
          userId: (n % 6) + 1,
          productId: products[n % 2] ?? 0,
          quantity: 1,
        }),
      ),
    );
    const ended = reserved.flatMap((one) =>
      one.outcome === "reserved" ? [{ order: one.order, as: "FAILED" as const }] : [],
    );
    expect(ended).to.have.lengthOf(600);
    await store.settle(ended);
    expect([...(await store.left(products)).values()]).to.deep.equal([300, 300]);
    for (let userId = 1; userId <= 6; userId += 1) await redis.del(keys.pending(userId));
  });

  it("keeps the tombstones of keyed orders for a day, those of others for minutes", async () => {
    const store = createStockStore(redis);
    const productId = freshId();
    await store.load({ product: openSale(productId, { perUserLimit: 5 }), bought: nobody(), epoch: 1 });
    const keyed = `${uuidv7().slice(0, 14)}8${uuidv7().slice(15)}`;
    const unkeyed = uuidv7();
    for (const orderId of [keyed, unkeyed]) {
      const one = await store.reserve({ orderId, userId: 1, productId, quantity: 1 });
      if (one.outcome === "reserved") await store.settle([{ order: one.order, as: "SUCCESS" }]);
    }
    const ttl = (id: string) => redis.pttl(keys.decided(productId, tombstoneBucket(id).bucket));
    expect(await ttl(keyed)).to.be.above(24 * 3_600_000);
    expect(await ttl(unkeyed)).to.be.within(15 * 60_000, 3_600_000);
    await redis.del(keys.pending(1));
  });
});

describe("reservations that may not have reached the log", () => {
  it("are listed oldest first, from the age asked for, up to the limit", async () => {
    const store = createStockStore(redis);
    const productId = freshId();
    await store.load({ product: openSale(productId, { perUserLimit: 5 }), bought: nobody(), epoch: 1 });
    const ids: string[] = [];
    for (let n = 0; n < 3; n += 1) {
      const orderId = uuidv7();
      ids.push(orderId);
      await store.reserve({ orderId, userId: 1, productId, quantity: 1 });
    }
    const listed = async (olderThanMs: number, limit: number) =>
      (await store.unpublished(productId, olderThanMs, limit)).map(({ order: { orderId } }) => orderId);
    expect(await listed(0, 2)).to.have.lengthOf(2);
    expect(new Set(await listed(0, 9))).to.deep.equal(new Set(ids));
    expect(await listed(60_000, 9)).to.deep.equal([]);
    await redis.zadd(keys.unpublished(productId), 1, ids[2] ?? "");
    expect(await listed(60_000, 9)).to.deep.equal([ids[2]]);
    expect((await listed(0, 9))[0]).to.equal(ids[2]);
  });

  it("are walked completely, each once while nothing changes", async () => {
    const store = createStockStore(redis);
    const productId = freshId();
    await store.load({
      product: openSale(productId, { stock: 2_000, perUserLimit: 100 }),
      bought: nobody(),
      epoch: 1,
    });
    await Promise.all(
      Array.from({ length: 1_500 }, (_, n) =>
        store.reserve({ orderId: uuidv7(), userId: (n % 20) + 1, productId, quantity: 1 }),
      ),
    );
    const seen: string[] = [];
    let cursor = "0";
    do {
      const walked = await store.reservations(productId, cursor);
      seen.push(...walked.reserved.map(({ order: { orderId } }) => orderId));
      cursor = walked.cursor;
    } while (cursor !== "0");
    expect(new Set(seen).size).to.equal(1_500);
  });
});

describe("load", () => {
  it("counts what the database sold and what living reservations hold, for units and for buyers", async () => {
    const store = createStockStore(redis);
    const [productId, userId] = [freshId(), freshId()];
    const product = openSale(productId, { stock: 10, perUserLimit: 4 });
    await store.load({ product, bought: nobody(), epoch: 1 });
    await store.reserve({ orderId: uuidv7(), userId, productId, quantity: 2 });
    await redis.del(keys.stock(productId));
    const bought = async function* () {
      yield [{ userId, quantity: 1 }];
      yield [{ userId: userId + 1, quantity: 2 }];
    };
    expect(await store.load({ product: { ...product, sold: 3 }, bought: bought(), epoch: 1 })).to.equal(
      "loaded",
    );
    expect((await store.left([productId])).get(productId)).to.equal(5);
    const next = await store.reserve({ orderId: uuidv7(), userId, productId, quantity: 2 });
    expect(next.outcome).to.equal("limit_exceeded");
  });

  it("never overwrites counters that are there, and leaves nothing behind", async () => {
    const store = createStockStore(redis);
    const productId = freshId();
    const product = openSale(productId);
    const bought = async function* () {
      yield [{ userId: 1, quantity: 1 }];
    };
    const results = await Promise.all(
      Array.from({ length: 10 }, () => store.load({ product, bought: bought(), epoch: 1 })),
    );
    expect(results.filter((result) => result === "loaded")).to.have.lengthOf(1);
    const staged = (await redis.keys(`{p:${productId}}*`)).sort();
    expect(staged).to.deep.equal([keys.bought(productId), keys.stock(productId)].sort());
    expect(await redis.ttl(keys.bought(productId))).to.equal(-1);
  });
});

describe("a sale that is changed while it runs", () => {
  const counters = async (id: number) => (await createStockStore(redis).counters([id])).get(id);
  const load = async (changes: Partial<Product> = {}) => {
    const product = openSale(freshId(), { stock: 10, perUserLimit: 100, ...changes });
    await createStockStore(redis).load({ product, bought: nobody(), epoch: 1 });
    return product;
  };

  it("gets units once, however often, late and out of order it is told of them", async () => {
    const store = createStockStore(redis);
    const product = await load();
    const { id } = product;
    await Promise.all([12, 15, 11, 15, 12].map((stock) => store.raise(id, stock)));
    expect(await counters(id)).to.include({ left: 15, stock: 15 });
    const seen = await counters(id);
    if (!seen) throw new Error("not loaded");
    await store.raise(id, 16);
    expect(await store.mend({ ...product, stock: 16 }, 1, seen), "these units were added").to.equal("moved");
    const again = await counters(id);
    if (!again) throw new Error("not loaded");
    expect(await store.mend({ ...product, stock: 18 }, 2, again)).to.equal("mended");
    await store.raise(id, 18);
    expect(await counters(id), "these units were given").to.include({ left: 18, stock: 18 });
  });

  it("gets no units while its counters are missing: who loads them counts all", async () => {
    const id = freshId();
    await createStockStore(redis).raise(id, 5);
    expect(await redis.exists(keys.stock(id))).to.equal(0);
  });

  it("that ends now has accepted everything before its end, whoever orders meanwhile", async () => {
    const store = createStockStore(redis);
    const product = await load({ stock: 10_000 });
    const { id } = product;
    const reserve = () => store.reserve({ orderId: uuidv7(), userId: 1, productId: id, quantity: 1 });
    const orders: Promise<ReserveOutcome>[] = [];
    for (let n = 0; n < 50; n += 1) orders.push(reserve());
    const ending = store.endEarly(product, "now");
    for (let n = 0; n < 200; n += 1) {
      orders.push(reserve());
      if (n % 20 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    const ended = await ending;
    if (ended.outcome !== "ends") throw new Error(ended.outcome);
    const accepted = (await Promise.all(orders)).flatMap((one) =>
      one.outcome === "reserved" ? [one.order] : [],
    );
    expect(accepted.length).to.be.within(1, 100);
    for (const { acceptedAt } of accepted) expect(acceptedAt).to.be.below(ended.endTime);
    await eventually("the sale is closed", async () => (await reserve()).outcome === "sale_closed");
    expect((await counters(id))?.endTime).to.equal(ended.endTime);
  });

  it("never ends later, in the past, or before it began; and what was seen before is old", async () => {
    const store = createStockStore(redis);
    const product = await load();
    const seen = await counters(product.id);
    if (!seen) throw new Error("not loaded");
    const soon = Date.now() + 300_000;
    expect(await store.endEarly(product, Date.now() - 1)).to.deep.equal({ outcome: "past" });
    expect(await store.endEarly(product, product.startTime)).to.deep.equal({ outcome: "not_begun" });
    expect(await counters(product.id)).to.deep.equal(seen);
    expect(await store.endEarly(product, soon)).to.deep.equal({ outcome: "ends", endTime: soon });
    expect(await store.endEarly(product, soon + 1)).to.deep.equal({ outcome: "ends", endTime: soon + 1 });
    expect((await counters(product.id))?.endTime).to.equal(soon);
    expect(await store.mend(product, 0, seen)).to.equal("moved");
    const now = await counters(product.id);
    if (!now) throw new Error("not loaded");
    expect(await store.mend(product, 0, now), "the database did not follow").to.equal("mended");
    expect((await counters(product.id))?.endTime).to.equal(product.endTime);
  });
});

describe("an order's claim", () => {
  const HASH = "1:1";
  const newClaim = (changes: Partial<OrderClaim> = {}): OrderClaim => ({
    userId: freshId(),
    productId: 1,
    orderId: uuidv7(),
    key: { value: "0123456789abcdef", requestHash: HASH },
    ...changes,
  });
  const claims = () => createOrderClaims(redis);

  it("is taken once; a second request under its key hears in_progress", async () => {
    const [a, b] = [claims(), claims()];
    const claim = newClaim();
    expect(await a.begin(claim)).to.deep.equal({ outcome: "claimed", orderId: claim.orderId });
    expect(await b.begin({ ...claim, orderId: uuidv7() })).to.deep.equal({ outcome: "in_progress" });
    await a.forget(claim);
  });

  it("is held by its lease also when the lock is gone: no safety rests on the lock", async () => {
    const one = claims();
    const claim = newClaim();
    await one.begin(claim);
    await redis.del(keys.orderLock(claim.userId, claim.productId));
    expect(await claims().begin({ ...claim, orderId: uuidv7() })).to.deep.equal({ outcome: "in_progress" });
  });

  it("of fifty at once is one", async () => {
    const all = Array.from({ length: 50 }, claims);
    const claim = newClaim();
    const begun = await Promise.all(all.map((one) => one.begin(claim)));
    expect(begun.filter(({ outcome }) => outcome === "claimed")).to.have.lengthOf(1);
    expect(begun.filter(({ outcome }) => outcome === "in_progress")).to.have.lengthOf(49);
  });

  it("of two requests at once in one process is one, with a key and without", async () => {
    const one = claims();
    const { key, ...bare } = newClaim();
    const again = { ...bare, orderId: uuidv7() };
    expect((await Promise.all([bare, again].map(one.begin))).map(({ outcome }) => outcome)).to.deep.equal([
      "claimed",
      "in_progress",
    ]);
    await one.forget(bare);
    const keyed = { ...bare, ...(key && { key }) };
    const reused = { ...keyed, ...(key && { key: { ...key, requestHash: "2:1" } }) };
    expect(
      (await Promise.all([keyed, keyed, reused].map(one.begin))).map(({ outcome }) => outcome),
    ).to.deep.equal(["claimed", "in_progress", "key_reused"]);
  });

  it("refuses another request under its key, answered or not", async () => {
    const one = claims();
    const claim = newClaim();
    const other = { ...claim, key: { value: claim.key?.value ?? "", requestHash: "2:1" } };
    await one.begin(claim);
    expect(await one.begin(other)).to.deep.equal({ outcome: "key_reused" });
    await one.answer(claim, { kind: "refused", code: "sold_out", traceId: "t" });
    expect(await one.begin(other)).to.deep.equal({ outcome: "key_reused" });
  });

  it("gives its first answer again, to the letter", async () => {
    const one = claims();
    const answer = { kind: "refused", code: "sold_out", traceId: "trace|with|bars" } as const;
    const claim = newClaim();
    await one.begin(claim);
    await one.answer(claim, answer);
    await one.answer(claim, { ...answer, code: "sale_closed" });
    expect(await one.begin(claim)).to.deep.equal({ outcome: "answered", answer });
  });

  it("is forgotten when nothing was taken, and is new again", async () => {
    const one = claims();
    const claim = newClaim();
    await one.begin(claim);
    await one.forget(claim);
    expect((await one.pendingOf(claim.userId)).size).to.equal(0);
    const orderId = uuidv7();
    await eventually("the lock is free", async () => {
      const begun = await one.begin({ ...claim, orderId });
      return begun.outcome === "claimed" && begun.orderId === orderId;
    });
  });

  it("that was left open goes on at once with the order id that it had", async () => {
    const one = claims();
    const claim = newClaim();
    await one.begin(claim);
    await one.leaveOpen(claim);
    await eventually("resumed", async () => {
      const begun = await one.begin({ ...claim, orderId: uuidv7() });
      expect(begun.outcome).to.be.oneOf(["resumed", "in_progress"]);
      return begun.outcome === "resumed" && begun.orderId === claim.orderId;
    });
    expect(await one.pendingOf(claim.userId)).to.deep.equal(new Map([[claim.orderId, 1]]));
  });

  it("keeps its key for 24 hours, not longer by being resumed", async () => {
    const one = claims();
    const claim = newClaim();
    await one.begin(claim);
    const key = keys.idempotency(claim.userId, claim.key?.value ?? "");
    expect(await redis.pttl(key)).to.be.within(24 * 3_600_000 - 5_000, 24 * 3_600_000);
    await redis.pexpire(key, 60_000);
    await one.leaveOpen(claim);
    await one.begin(claim);
    await one.answer(claim, { kind: "refused", code: "sold_out", traceId: "t" });
    expect(await redis.pttl(key)).to.be.within(1, 60_000);
  });

  it("without a key stands only in the way of the same user on the same product", async () => {
    const one = claims();
    const { key: _key, ...claim } = newClaim();
    expect((await one.begin(claim)).outcome).to.equal("claimed");
    expect((await one.begin({ ...claim, orderId: uuidv7() })).outcome).to.equal("in_progress");
    expect((await one.begin({ ...claim, orderId: uuidv7(), productId: 2 })).outcome).to.equal("claimed");
    expect((await one.begin({ ...claim, orderId: uuidv7(), userId: freshId() })).outcome).to.equal("claimed");
  });

  it("that found the lock held is not noted as pending", async () => {
    const one = claims();
    const { key: _key, ...claim } = newClaim();
    await one.begin(claim);
    await one.begin({ ...claim, orderId: uuidv7() });
    expect(await one.pendingOf(claim.userId)).to.deep.equal(new Map([[claim.orderId, 1]]));
  });
});

describe("a job's lock", () => {
  it("lets one of two workers run, and the next once that has ended", async () => {
    const [a, b] = [
      createJobLock(createRedlock(redis, log), log),
      createJobLock(createRedlock(redis, log), log),
    ];
    const name = `test-${freshId()}`;
    let finish = (): void => undefined;
    const first = a.tryWith(name, 10_000, () => new Promise((resolve) => (finish = resolve)));
    await eventually("the first has it", async () => (await redis.exists(keys.jobLock(name))) === 1);
    expect(await b.tryWith(name, 10_000, async () => undefined)).to.equal("busy");
    finish();
    expect(await first).to.equal("ran");
    await eventually(
      "the second gets it",
      async () => (await b.tryWith(name, 10_000, async () => undefined)) === "ran",
    );
    await eventually("it is free", async () => (await redis.exists(keys.jobLock(name))) === 0);
  });

  it("is given back when its work fails, and the failure is told", async () => {
    const lock = createJobLock(createRedlock(redis, log), log);
    const name = `test-${freshId()}`;
    const failure = new Error("the work failed");
    expect(await rejectionOf(lock.tryWith(name, 10_000, () => Promise.reject(failure)))).to.equal(failure);
    await eventually("it is free", async () => (await redis.exists(keys.jobLock(name))) === 0);
  });
});

describe("a revoked token", () => {
  it("is known to a second process within one second", async () => {
    const second = await connect("redis-scripts-2");
    const [a, b] = [
      createRevocationList(redis, 1_800_000, log),
      createRevocationList(second, 1_800_000, log),
    ];
    const jti = uuidv7();
    const token = { jti, userId: 1, issuedAt: Date.now() };
    const expiresAt = Math.floor(Date.now() / 1_000) + 600;
    try {
      await Promise.all([a.start(), b.start()]);
      expect(b.isRevoked(token)).to.equal(false);
      await a.revoke(jti, expiresAt);
      expect(a.isRevoked(token)).to.equal(true);
      await eventually("the second process knows", () => b.isRevoked(token), 1_000);
    } finally {
      a.stop();
      b.stop();
      await second.quit();
      await redis.zrem(keys.revoked(), `${jti}:${expiresAt}`);
    }
  });

  it("is known to a process that starts later", async () => {
    const [a, b] = [createRevocationList(redis, 1_800_000, log), createRevocationList(redis, 1_800_000, log)];
    const jti = uuidv7();
    const token = { jti, userId: 1, issuedAt: Date.now() };
    const expiresAt = Math.floor(Date.now() / 1_000) + 600;
    await a.revoke(jti, expiresAt);
    await b.start();
    b.stop();
    expect(b.isRevoked(token)).to.equal(true);
    await redis.zrem(keys.revoked(), `${jti}:${expiresAt}`);
  });
});

describe("all tokens of a user", () => {
  const userId = 4_000_000_007;
  const issuedUntil = Date.now();
  const member = `user:${userId}:${issuedUntil}`;
  const issuedAt = (ms: number, of = userId) => ({ jti: uuidv7(), userId: of, issuedAt: ms });
  afterEach(() => redis.zrem(keys.revoked(), member));

  it("are known to have ended to a second process within one second, and to one that starts later", async () => {
    const lists = [1, 2, 3].map(() => createRevocationList(redis, 1_800_000, log));
    const [a, b, late] = lists as [RevocationList, RevocationList, RevocationList];
    try {
      await Promise.all([a.start(), b.start()]);
      expect(b.isRevoked(issuedAt(issuedUntil))).to.equal(false);
      await a.revokeAll(userId, issuedUntil);
      expect(a.isRevoked(issuedAt(issuedUntil))).to.equal(true);
      await eventually("the second process knows", () => b.isRevoked(issuedAt(issuedUntil)), 1_000);
      await late.start();
      for (const list of [a, b, late]) {
        expect(list.isRevoked(issuedAt(issuedUntil - 1_000))).to.equal(true);
        expect(list.isRevoked(issuedAt(issuedUntil + 1)), "a later one").to.equal(false);
        expect(list.isRevoked(issuedAt(issuedUntil, userId + 1)), "another user's").to.equal(false);
      }
    } finally {
      for (const list of lists) list.stop();
    }
  });

  it("are forgotten when none of them can be alive any more", async () => {
    const list = createRevocationList(redis, 1, log);
    await redis.zadd(keys.revoked(), issuedUntil - 60_000, member);
    await list.start();
    list.stop();
    expect(await redis.zscore(keys.revoked(), member)).to.equal(null);
  });
});

describe("a Redis connection", () => {
  it("gives a command up after half a second: a frozen Redis must not hold a buyer", async () => {
    const paused = await connect("redis-scripts-paused");
    const startedAt = performance.now();
    try {
      await redis.call("CLIENT", "PAUSE", "1500", "ALL");
      const error = await rejectionOf(paused.get("any"));
      expect(String(error)).to.match(/timed out/);
      expect(performance.now() - startedAt).to.be.within(400, 1_400);
    } finally {
      paused.disconnect();
      await eventually("Redis answers again", () =>
        redis.ping().then(
          () => true,
          () => false,
        ),
      );
    }
  });
});

describe("the check of a Redis", () => {
  it("finds nothing to complain of in ours", async () => {
    expect(await redisProblem(redis, false)).to.equal(undefined);
  });
});
