import { expect } from "chai";
import { DomainError } from "../../shared/domain/errors.ts";
import type { OrderMessage } from "../../shared/domain/order.ts";
import type { OrderReader } from "../../shared/domain/ports.ts";
import type { Role } from "../../shared/domain/user.ts";
import { createFakeClock } from "../../shared/testing/clock.ts";
import { createFakeDatabase } from "../../shared/testing/database.ts";
import { createFakeOrderClaims } from "../../shared/testing/order-claims.ts";
import {
  orderIdOf,
  SALE_START,
  sampleOrder,
  sampleProduct,
  sampleUser,
} from "../../shared/testing/samples.ts";
import { createFakeStockStore } from "../../shared/testing/stock-store.ts";
import { createOrderQueryService } from "./order-query-service.ts";

const principal = (userId: number, role: Role = "user") => ({
  userId,
  role,
  jti: "j",
  issuedAt: 0,
  expiresAt: 0,
});

async function createScene(wrap: (reader: OrderReader) => OrderReader = (reader) => reader) {
  const clock = createFakeClock();
  const database = createFakeDatabase(clock.now);
  const claims = createFakeOrderClaims(clock.now);
  const stock = createFakeStockStore(clock.now);
  const product = sampleProduct({ stock: 100, perUserLimit: 100 });
  database.tables.products.set(1, product);
  for (const id of [1, 2, 3]) database.tables.users.set(id, sampleUser(id));
  await stock.load({ product, bought: database.store.boughtByProduct(1), epoch: 1 });
  const { products } = database;
  const queries = createOrderQueryService({
    orders: wrap(database.orderReader),
    claims,
    stock,
    products,
    now: clock.now,
  });
  return { clock, database, claims, stock, queries, place, decide };

  async function place(n: number, userId = 1): Promise<OrderMessage> {
    clock.advance(1);
    const orderId = orderIdOf(n);
    await claims.begin({ userId, productId: 1, orderId });
    const reserved = await stock.reserve({ orderId, userId, productId: 1, quantity: 1 });
    await claims.leaveOpen({ userId, productId: 1, orderId });
    if (reserved.outcome !== "reserved") throw new Error(reserved.outcome);
    return reserved.order;
  }
  /** What the worker does, in its order: the row, the reservation, the note. */
  async function decide(order: OrderMessage): Promise<void> {
    const decision = { outcome: "SUCCESS", order, amount: order.unitPrice } as const;
    await database.store.transaction((writer) => writer.write([decision], clock.now()));
    await stock.settle([{ order, as: "SUCCESS" }]);
    claims.dropPending(order.userId, order.orderId);
  }
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  const error: unknown = await work.catch((thrown: unknown) => thrown);
  return error instanceof DomainError ? error.code : "no refusal";
}

describe("reading an order", () => {
  it("shows it PENDING from its reservation on, then decided with its settlement", async () => {
    const { queries, place, decide } = await createScene();
    const order = await place(1);
    expect(await queries.find(principal(1), order.orderId)).to.include({
      status: "PENDING",
      acceptedAt: order.acceptedAt,
    });
    await decide(order);
    const decided = await queries.find(principal(1), order.orderId);
    expect(decided).to.include({ status: "SUCCESS" });
    expect(decided.settlement).to.include({ amount: 99_000 });
  });

  it("never misses an order that is decided between two looks", async () => {
    let looks = 0;
    let move: () => Promise<void> = async () => undefined;
    const scene = await createScene((reader) => ({
      ...reader,
      findById: async (id) => {
        const row = await reader.findById(id);
        looks += 1;
        // It moves from Redis to MySQL right behind the first look.
        if (looks === 1) await move();
        return row;
      },
    }));
    const order = await scene.place(1);
    move = () => scene.decide(order);
    expect(await scene.queries.find(principal(1), order.orderId)).to.include({ status: "SUCCESS" });
  });

  it("says the same of another user's order, decided or not, as of one that does not exist", async () => {
    const { queries, place, decide } = await createScene();
    const [pending, decided] = [await place(1), await place(2)];
    await decide(decided);
    for (const id of [pending.orderId, decided.orderId, orderIdOf(9)])
      expect(await codeOf(queries.find(principal(2), id))).to.equal("not_found");
  });

  it("is open to an administrator, decided or not", async () => {
    const { queries, place, decide } = await createScene();
    const [pending, decided] = [await place(1), await place(2)];
    await decide(decided);
    expect((await queries.find(principal(3, "admin"), pending.orderId)).status).to.equal("PENDING");
    expect((await queries.find(principal(3, "admin"), decided.orderId)).status).to.equal("SUCCESS");
  });
});

describe("listing orders", () => {
  it("shows the own ones only, PENDING ones included, newest first", async () => {
    const { queries, place, decide } = await createScene();
    const first = await place(1);
    await place(2, 2);
    await place(3);
    await decide(first);
    const { rows } = await queries.listOwn(principal(1), {}, { limit: 10 });
    expect(rows.map(({ orderId, status }) => [orderId, status])).to.deep.equal([
      [orderIdOf(3), "PENDING"],
      [orderIdOf(1), "SUCCESS"],
    ]);
  });

  it("shows an order once, as decided, while it is a row and a reservation at the same time", async () => {
    const { queries, database, place } = await createScene();
    const order = await place(1);
    const decision = { outcome: "SUCCESS", order, amount: 99_000 } as const;
    await database.store.transaction((writer) => writer.write([decision], SALE_START));
    const { rows } = await queries.listOwn(principal(1), {}, { limit: 10 });
    expect(rows.map(({ status }) => status)).to.deep.equal(["SUCCESS"]);
    const pending = await queries.listOwn(principal(1), { status: "PENDING" }, { limit: 10 });
    expect(pending.rows).to.deep.equal([]);
  });

  it("filters by status and product", async () => {
    const { queries, place, decide } = await createScene();
    await decide(await place(1));
    await place(2);
    const statuses = async (filter: Parameters<typeof queries.listOwn>[1]) =>
      (await queries.listOwn(principal(1), filter, { limit: 10 })).rows.map(({ status }) => status);
    expect(await statuses({ status: "PENDING" })).to.deep.equal(["PENDING"]);
    expect(await statuses({ status: "SUCCESS" })).to.deep.equal(["SUCCESS"]);
    expect(await statuses({ status: "FAILED" })).to.deep.equal([]);
    expect(await statuses({ productId: 2 })).to.deep.equal([]);
    expect(await statuses({ productId: 1 })).to.have.lengthOf(2);
  });

  for (const limit of [1, 2, 3, 7]) {
    it(`shows each order on exactly one page of ${limit}, decided and undecided mixed`, async () => {
      const { queries, place, decide } = await createScene();
      for (let n = 1; n <= 7; n += 1) {
        const order = await place(n);
        if (n % 3 !== 0) await decide(order);
      }
      const seen: string[] = [];
      let after: readonly [number, string] | undefined;
      for (let page = 0; page < 10; page += 1) {
        const { rows, next } = await queries.listOwn(principal(1), {}, { limit, ...(after && { after }) });
        seen.push(...rows.map(({ orderId }) => orderId));
        if (!next) break;
        after = next;
      }
      expect(seen).to.deep.equal([7, 6, 5, 4, 3, 2, 1].map(orderIdOf));
    });
  }

  it("shows an order without facts, failed by name only", async () => {
    const { queries, database } = await createScene();
    const { orderId } = sampleOrder();
    const order = { orderId, userId: 1, productId: 1 };
    const message = { topic: "t", partition: 0, offset: "1", timestamp: 0, key: null, value: null };
    await database.store.transaction((writer) => writer.park([{ message, error: "x", order }], SALE_START));
    const { rows } = await queries.listOwn(principal(1), {}, { limit: 10 });
    expect(rows.map(({ status, failReason }) => [status, failReason])).to.deep.equal([
      ["FAILED", "invalid_message"],
    ]);
  });
});
