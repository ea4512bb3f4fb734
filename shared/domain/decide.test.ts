import { expect } from "chai";
import fc from "fast-check";
import { cases, timeFor } from "../testing/cases.ts";
import { orderIdOf, SALE_START, sampleOrder, sampleProduct } from "../testing/samples.ts";
import { boughtKey, decide, type DecideInput, type Decision, type KnownOrder } from "./decide.ts";
import type { OrderMessage } from "./order.ts";
import type { Product } from "./product.ts";

const CASES = cases(1_000);
const CASES_MS = timeFor(10_000);

function input(orders: readonly OrderMessage[], changes: Partial<DecideInput> = {}): DecideInput {
  return {
    orders,
    products: new Map([[1, sampleProduct()]]),
    users: new Set([1, 2, 3]),
    existing: new Map(),
    bought: new Map(),
    ...changes,
  };
}

const withProduct = (changes: Partial<Product>) => ({ products: new Map([[1, sampleProduct(changes)]]) });
const outcomeOf = (decisions: readonly Decision[]) => decisions.map(({ outcome }) => outcome);

function reasonOf(order: OrderMessage, changes: Partial<DecideInput> = {}): string {
  const [decision] = decide(input([order], changes));
  return decision?.outcome === "FAILED" ? decision.reason : String(decision?.outcome);
}

describe("decide", () => {
  it("settles an order within every rule for unit price times quantity", () => {
    const order = sampleOrder({ quantity: 3 });
    const decisions = decide(input([order], withProduct({ perUserLimit: 3 })));
    expect(decisions).to.deep.equal([{ outcome: "SUCCESS", order, amount: 297_000 }]);
  });

  it("fails an order of a product that does not exist", () => {
    expect(reasonOf(sampleOrder({ productId: 9 }))).to.equal("unknown_product");
  });

  it("fails an order of a user who does not exist", () => {
    expect(reasonOf(sampleOrder({ userId: 9 }))).to.equal("unknown_user");
  });

  it("fails an order whose price is not the product's, be it lower or higher", () => {
    expect(reasonOf(sampleOrder({ unitPrice: 98_999 }))).to.equal("price_mismatch");
    expect(reasonOf(sampleOrder({ unitPrice: 99_001 }))).to.equal("price_mismatch");
  });

  it("fails an order in another currency", () => {
    expect(reasonOf(sampleOrder({ currency: "USD" }))).to.equal("price_mismatch");
  });

  it("takes an order accepted at the start and in the last millisecond, none before the start or at the end", () => {
    const { startTime, endTime } = sampleProduct();
    expect(reasonOf(sampleOrder({ acceptedAt: startTime }))).to.equal("SUCCESS");
    expect(reasonOf(sampleOrder({ acceptedAt: endTime - 1 }))).to.equal("SUCCESS");
    expect(reasonOf(sampleOrder({ acceptedAt: startTime - 1 }))).to.equal("outside_window");
    expect(reasonOf(sampleOrder({ acceptedAt: endTime }))).to.equal("outside_window");
  });

  it("judges the window by acceptedAt alone: a sale that is long over does not fail a late batch", () => {
    const longAgo = { startTime: 1_000, endTime: 2_000 };
    expect(reasonOf(sampleOrder({ acceptedAt: 1_500 }), withProduct(longAgo))).to.equal("SUCCESS");
  });

  it("counts what the user has already against the limit", () => {
    const limits = withProduct({ perUserLimit: 3 });
    const bought = new Map([[boughtKey(1, 1), 2]]);
    expect(reasonOf(sampleOrder({ quantity: 1 }), { ...limits, bought })).to.equal("SUCCESS");
    expect(reasonOf(sampleOrder({ quantity: 2 }), { ...limits, bought })).to.equal("limit_exceeded");
  });

  it("sells the last unit and not one more", () => {
    expect(reasonOf(sampleOrder(), withProduct({ stock: 5, sold: 4 }))).to.equal("SUCCESS");
    expect(reasonOf(sampleOrder(), withProduct({ stock: 5, sold: 5 }))).to.equal("sold_out");
  });

  it("gives units to who was accepted first, whatever the order of the messages", () => {
    const late = sampleOrder({ orderId: orderIdOf(1), userId: 1, acceptedAt: SALE_START + 2 });
    const early = sampleOrder({ orderId: orderIdOf(2), userId: 2, acceptedAt: SALE_START + 1 });
    const decisions = decide(input([late, early], withProduct({ stock: 1 })));
    expect(decisions.map(({ order, outcome }) => [order.userId, outcome])).to.deep.equal([
      [2, "SUCCESS"],
      [1, "FAILED"],
    ]);
  });

  it("breaks a tie of acceptedAt by order id", () => {
    const b = sampleOrder({ orderId: orderIdOf(2), userId: 2 });
    const a = sampleOrder({ orderId: orderIdOf(1), userId: 1 });
    const decisions = decide(input([b, a], withProduct({ stock: 1 })));
    expect(decisions[0]?.order.orderId).to.equal(orderIdOf(1));
    expect(outcomeOf(decisions)).to.deep.equal(["SUCCESS", "FAILED"]);
  });

  it("takes a second copy in the same batch for a duplicate of the first", () => {
    const decisions = decide(input([sampleOrder(), sampleOrder()], withProduct({ perUserLimit: 5 })));
    expect(outcomeOf(decisions)).to.deep.equal(["SUCCESS", "DUPLICATE"]);
  });

  it("tells how the earlier copy ended", () => {
    const existing = new Map<string, KnownOrder>([[orderIdOf(1), { ...sampleOrder(), status: "FAILED" }]]);
    const [decision] = decide(input([sampleOrder()], { existing }));
    expect(decision).to.deep.equal({ outcome: "DUPLICATE", order: sampleOrder(), as: "FAILED" });
  });

  const otherFacts: [string, Partial<OrderMessage>][] = [
    ["user", { userId: 2 }],
    ["product", { productId: 2 }],
    ["quantity", { quantity: 2 }],
    ["price", { unitPrice: 1 }],
    ["currency", { currency: "USD" }],
    ["time of acceptance", { acceptedAt: SALE_START + 1 }],
  ];
  for (const [fact, change] of otherFacts) {
    it(`writes nothing for a known order id that comes with another ${fact}`, () => {
      const existing = new Map<string, KnownOrder>([[orderIdOf(1), { ...sampleOrder(), status: "SUCCESS" }]]);
      expect(outcomeOf(decide(input([sampleOrder(change)], { existing })))).to.deep.equal(["CONFLICT"]);
    });
  }

  it("does not change what it was given", () => {
    const orders = Object.freeze([
      sampleOrder({ orderId: orderIdOf(2), acceptedAt: SALE_START + 1 }),
      sampleOrder(),
    ]);
    const given = input(orders);
    decide(given);
    expect([given.existing.size, given.bought.size, given.products.get(1)?.sold]).to.deep.equal([0, 0, 0]);
  });
});

const productOf = (id: number) =>
  fc
    .record({ stock: fc.integer({ min: 1, max: 30 }), perUserLimit: fc.integer({ min: 1, max: 6 }) })
    .chain(({ stock, perUserLimit }) =>
      fc.integer({ min: 0, max: stock }).map((sold) => sampleProduct({ id, stock, sold, perUserLimit })),
    );
const message = fc.record(
  {
    v: fc.constant(1 as const),
    orderId: fc.integer({ min: 1, max: 40 }).map(orderIdOf),
    userId: fc.integer({ min: 1, max: 8 }),
    productId: fc.integer({ min: 1, max: 3 }),
    quantity: fc.integer({ min: 1, max: 7 }),
    unitPrice: fc.constantFrom(99_000, 99_000, 99_000, 1),
    currency: fc.constantFrom("KRW", "KRW", "KRW", "USD"),
    acceptedAt: fc.integer({ min: -2, max: 20 }).map((ms) => SALE_START + ms),
  },
  { noNullPrototype: true },
);
const scene = fc.record({
  orders: fc.array(message, { maxLength: 60 }),
  products: fc.tuple(productOf(1), productOf(2)).map((all) => new Map(all.map((p) => [p.id, p]))),
  users: fc.constant(new Set([1, 2, 3, 4, 5, 6, 7])),
});

const toInput = ({ orders, products, users }: typeof scene extends fc.Arbitrary<infer S> ? S : never) => ({
  orders,
  products,
  users,
  existing: new Map<string, KnownOrder>(),
  bought: new Map<string, number>(),
});
const successes = (decisions: readonly Decision[]) =>
  decisions.filter(({ outcome }) => outcome === "SUCCESS");

/** Every order of the scene holds, whatever it is. */
function holds(rule: (given: DecideInput, decisions: readonly Decision[]) => void): void {
  fc.assert(
    fc.property(scene, (drawn) => {
      const given = toInput(drawn);
      rule(given, decide(given));
    }),
    { numRuns: CASES },
  );
}

function afterwards(given: DecideInput, decisions: readonly Decision[]): DecideInput {
  const existing = new Map(given.existing);
  const bought = new Map(given.bought);
  const products = new Map(given.products);
  for (const { outcome, order } of decisions) {
    if (outcome !== "SUCCESS" && outcome !== "FAILED") continue;
    existing.set(order.orderId, { ...order, status: outcome });
    if (outcome === "FAILED") continue;
    const key = boughtKey(order.productId, order.userId);
    bought.set(key, (bought.get(key) ?? 0) + order.quantity);
    const product = products.get(order.productId);
    if (product) products.set(product.id, { ...product, sold: product.sold + order.quantity });
  }
  return { ...given, existing, bought, products };
}

/** The same rules, said once more and slowly: no running sums, each message against the list of those before it. */
function clerk({ orders, products, users }: DecideInput): { order: OrderMessage; outcome: string }[] {
  const list: { order: OrderMessage; outcome: string }[] = [];
  const queue = [...orders];
  while (queue.length > 0) {
    const next = queue.reduce((least, one) =>
      one.acceptedAt < least.acceptedAt ||
      (one.acceptedAt === least.acceptedAt && one.orderId < least.orderId)
        ? one
        : least,
    );
    queue.splice(queue.indexOf(next), 1);
    list.push({ order: next, outcome: judge(next) });
  }
  return list;

  function judge(order: OrderMessage): string {
    const earlier = list.find((one) => one.order.orderId === order.orderId);
    if (earlier) {
      return JSON.stringify(Object.entries(earlier.order).sort()) ===
        JSON.stringify(Object.entries(order).sort())
        ? "DUPLICATE"
        : "CONFLICT";
    }
    const product = products.get(order.productId);
    if (product === undefined) return "FAILED:unknown_product";
    if (!users.has(order.userId)) return "FAILED:unknown_user";
    if (product.price !== order.unitPrice) return "FAILED:price_mismatch";
    if (product.currency !== order.currency) return "FAILED:price_mismatch";
    if (product.startTime > order.acceptedAt) return "FAILED:outside_window";
    if (product.endTime <= order.acceptedAt) return "FAILED:outside_window";
    const won = list.filter((one) => one.outcome === "SUCCESS" && one.order.productId === product.id);
    const units = (some: typeof won) => some.reduce((sum, one) => sum + one.order.quantity, 0);
    const own = won.filter((one) => one.order.userId === order.userId);
    if (units(own) + order.quantity > product.perUserLimit) return "FAILED:limit_exceeded";
    if (product.sold + units(won) + order.quantity > product.stock) return "FAILED:sold_out";
    return "SUCCESS";
  }
}

describe("decide, for any batch", function () {
  this.timeout(CASES_MS);

  it("never sells more than the stock", () => {
    holds((given, decisions) => {
      for (const { id, stock, sold } of given.products.values()) {
        const units = successes(decisions)
          .filter(({ order }) => order.productId === id)
          .reduce((sum, { order }) => sum + order.quantity, 0);
        expect(sold + units).to.be.at.most(stock);
      }
    });
  });

  it("never lets a user have more than the limit", () => {
    holds((given, decisions) => {
      const after = afterwards(given, decisions);
      for (const [key, units] of after.bought) {
        expect(units).to.be.at.most(given.products.get(Number(key.split(":")[0]))?.perUserLimit ?? 0);
      }
    });
  });

  it("makes exactly one decision for each message, in the order of acceptance", () => {
    holds(({ orders }, decisions) => {
      expect(decisions).to.have.lengthOf(orders.length);
      const times = decisions.map(({ order }) => order.acceptedAt);
      expect(times).to.deep.equal([...times].sort((a, b) => a - b));
      const decided = new Set(decisions.map(({ order }) => order));
      expect(orders.every((order) => decided.has(order))).to.equal(true);
    });
  });

  it("decides each order id once", () => {
    holds((_given, decisions) => {
      const decided = decisions.filter(({ outcome }) => outcome === "SUCCESS" || outcome === "FAILED");
      expect(new Set(decided.map(({ order }) => order.orderId)).size).to.equal(decided.length);
    });
  });

  it("has nothing to write when the same batch comes again", () => {
    holds((given, decisions) => {
      const again = decide(afterwards(given, decisions));
      expect(outcomeOf(again).filter((o) => o === "SUCCESS" || o === "FAILED")).to.deep.equal([]);
      const before = new Map(decisions.map(({ outcome, order }) => [order, outcome]));
      for (const decision of again)
        if (decision.outcome === "DUPLICATE" && before.get(decision.order) !== "DUPLICATE")
          expect(decision.as).to.equal(before.get(decision.order));
    });
  });

  it("decides the same whatever order the messages come in", () => {
    fc.assert(
      fc.property(scene, fc.infiniteStream(fc.nat()), (drawn, random) => {
        // Two messages that differ under one id and one instant leave it open which of them is the first.
        const orders = [...new Map(drawn.orders.map((order) => [order.orderId, order])).values()];
        const keyed = orders.map((order) => ({ order, rank: random.next().value as number }));
        const shuffled = keyed.sort((a, b) => a.rank - b.rank).map(({ order }) => order);
        expect(decide(toInput({ ...drawn, orders: shuffled }))).to.deep.equal(
          decide(toInput({ ...drawn, orders })),
        );
      }),
      { numRuns: CASES },
    );
  });

  it("decides the same in two batches as in one when the first is all earlier", () => {
    holds((given, decisions) => {
      const sorted = decisions.map(({ order }) => order);
      const cut = Math.floor(sorted.length / 2);
      const first = decide({ ...given, orders: sorted.slice(0, cut) });
      const second = decide({ ...afterwards(given, first), orders: sorted.slice(cut) });
      expect([...first, ...second]).to.deep.equal(decisions);
    });
  });

  it("decides the same wherever the batch is cut in two", () => {
    fc.assert(
      fc.property(scene, fc.nat(), (drawn, where) => {
        const given = toInput(drawn);
        const whole = decide(given);
        const sorted = whole.map(({ order }) => order);
        const cut = where % (sorted.length + 1);
        const first = decide({ ...given, orders: sorted.slice(0, cut) });
        const second = decide({ ...afterwards(given, first), orders: sorted.slice(cut) });
        expect([...first, ...second]).to.deep.equal(whole);
      }),
      { numRuns: CASES },
    );
  });

  it("decides no other order differently because some come twice", () => {
    fc.assert(
      fc.property(scene, fc.infiniteStream(fc.boolean()), (drawn, again) => {
        // Whole messages, one for each id: the copies are true copies, whatever place they have.
        const orders = [...new Map(drawn.orders.map((order) => [order.orderId, order])).values()];
        const copies = orders.filter(() => again.next().value as boolean);
        const once = decide(toInput({ ...drawn, orders }));
        const twice = decide(toInput({ ...drawn, orders: [...copies, ...orders, ...copies] }));
        expect(twice.filter(({ outcome }) => outcome !== "DUPLICATE")).to.deep.equal(once);
        expect(twice).to.have.lengthOf(orders.length + 2 * copies.length);
      }),
      { numRuns: CASES },
    );
  });

  it("decides what a clerk with a list decides, who counts everything anew for each message", () => {
    holds((given, decisions) => {
      expect(decisions.map(({ outcome, order }) => [order, outcome])).to.deep.equal(
        clerk(given).map(({ order, outcome }) => [order, outcome.split(":")[0]]),
      );
      expect(decisions.flatMap((d) => (d.outcome === "FAILED" ? [d.reason] : []))).to.deep.equal(
        clerk(given).flatMap(({ outcome }) => outcome.split(":")[1] ?? []),
      );
    });
  });

  it("fails an order for units only when there really were too few", () => {
    holds((given, decisions) => {
      const sold = new Map([...given.products].map(([id, product]) => [id, product.sold]));
      for (const decision of decisions) {
        const { productId, quantity } = decision.order;
        const before = sold.get(productId) ?? 0;
        if (decision.outcome === "SUCCESS") sold.set(productId, before + quantity);
        if (decision.outcome === "FAILED" && decision.reason === "sold_out")
          expect(before + quantity).to.be.above(given.products.get(productId)?.stock ?? 0);
      }
    });
  });
});
