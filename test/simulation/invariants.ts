import { expect } from "chai";
import { derivedOrderId } from "../../api/services/order-id.ts";
import type { OrderRow } from "../../shared/testing/database.ts";
import { SALE_START } from "../../shared/testing/samples.ts";
import { groupBy } from "../../shared/domain/group-by.ts";
import { samePayload } from "../../shared/domain/order.ts";
import type { Wish } from "./clients.ts";
import { USERS, type World } from "./world.ts";

/** Between any two steps. */
export function checkStep(world: World): void {
  const { redis, mysql } = world;
  for (const { id, stock } of mysql.tables.products.values()) {
    const left = redis.stock().leftOf(id);
    if (left !== undefined && ((left < 0 && !hasForgotten(world)) || left > stock))
      expect.fail(`I3: 0 ≤ left ≤ stock: ${left} of ${stock} of product ${id}`);
  }
}

/** Whether Redis has lost what it knew: then, and only then, may its counters err for a while. */
export const hasForgotten = ({ facts }: Pick<World, "facts">): boolean =>
  facts.redisLost > 0 || facts.redisRolledBack > 0;

/**
 * Accepted, then FAILED: only with a Redis put back to an older state, which nobody may have noticed yet, or an emptied one
 * while a process slept for longer than its rebuild waits.
 */
const mayBreakPromises = ({ facts }: World): boolean =>
  facts.redisRolledBack > 0 || (facts.redisLost > 0 && facts.frozen > 0);

/** After each COMMIT. */
export function checkCommitted({ mysql: { tables } }: World): void {
  for (const { id, sold, stock } of tables.products.values()) {
    const units = unitsOf(successesOf(tables.orders, id));
    expect(units, `I2: sold = Σ SUCCESS of product ${id}`).to.equal(sold);
    expect(sold, `I2: sold ≤ stock of product ${id}`).to.be.at.most(stock);
  }
  const successes = [...tables.orders.values()].filter(({ status }) => status === "SUCCESS");
  expect(tables.settlements.size, "I5: as many settlements as SUCCESS orders").to.equal(successes.length);
  for (const [id, path] of tables.history) expect(path, `I9: history of ${id}`).to.have.lengthOf(1);
}

/** Once everything has come to rest. */
export function checkAtRest(world: World): void {
  checkCommitted(world);
  for (const { id } of world.products) checkProduct(world, id);
  checkMoney(world);
  checkPromises(world);
  checkNothingUnasked(world);
  checkLetters(world);
  if (!hasForgotten(world) && world.facts.changesAsked === 0)
    expect(world.facts.repaired, "I3: counters that had to be mended").to.equal(0);
  expect(world.clients.unexpected, "an error that no client may hear").to.deep.equal([]);
}

function checkProduct({ mysql: { tables }, redis }: World, id: number): void {
  const product = tables.products.get(id);
  if (!product) throw new Error(`no product ${id}`);
  const successes = successesOf(tables.orders, id);
  const stock = redis.stock();
  expect(stock.leftOf(id), "I3: left = stock − Σ SUCCESS").to.equal(product.stock - unitsOf(successes));
  expect(stock.reservedIn(id), "I3: no reservation").to.deep.equal([]);
  expect(stock.unpublishedIn(id), "I4: nothing unpublished").to.deep.equal([]);
  for (let userId = 1; userId <= USERS; userId += 1) {
    const units = unitsOf(successes.filter((row) => row.userId === userId));
    expect(units, `I6: user ${userId} within the limit`).to.be.at.most(product.perUserLimit);
    expect(stock.boughtBy(id, userId), `I6: the store counts the same of user ${userId}`).to.equal(units);
  }
  for (const { orderId, acceptedAt, quantity } of successes) {
    expect(acceptedAt, "I7: window").to.be.within(product.startTime, product.endTime - 1);
    expect(tables.settlements.get(orderId)?.amount, "I5: amount").to.equal(product.price * quantity);
  }
}

function checkMoney({ mysql: { tables } }: World): void {
  const settlements = [...tables.settlements.values()];
  const scopes = new Map([
    ...groupBy(settlements, ({ productId, currency }) => `product:${productId}:${currency}`),
    ...groupBy(settlements, ({ userId, currency }) => `user:${userId}:${currency}`),
  ]);
  expect(tables.totals.size, "I5: a running total for each scope").to.equal(scopes.size);
  for (const [scope, rows] of scopes) {
    const amount = rows.reduce((sum, row) => sum + row.amount, 0);
    expect(tables.totals.get(scope), `I5: running total of ${scope}`).to.include({
      count: rows.length,
      amount,
    });
  }
}

function checkPromises(world: World): void {
  const { mysql, clients } = world;
  const { tables, refused } = mysql;
  const first = new Map<string, string>();
  for (const { order, wish } of clients.history) {
    if (!order) continue;
    const row = tables.orders.get(order.orderId);
    expect(row, `I1: ${order.orderId} was accepted`).to.not.equal(undefined);
    if (!row || refused.has(order.orderId)) continue;
    // A Redis that forgot a key takes the same order anew, and forgets what it promised.
    if (mayBreakPromises(world)) continue;
    expect(row.status, `I12: ${order.orderId} was accepted`).to.equal("SUCCESS");
    if (hasForgotten(world)) continue;
    expect(samePayload(row, order), `I10: ${order.orderId} as it was accepted`).to.equal(true);
    const answer = JSON.stringify(order);
    const key = wish.idempotencyKey ? `${wish.userId} ${wish.idempotencyKey}` : order.orderId;
    expect(first.get(key) ?? answer, `I13: the same answer under ${key}`).to.equal(answer);
    first.set(key, answer);
  }
  if (hasForgotten(world) || refused.size > 0) return;
  const failed = [...tables.orders.values()].filter(({ status }) => status === "FAILED");
  expect(failed, "I12: promised by Redis, refused by the database").to.deep.equal([]);
}

/** I8: no row that nobody asked for, and none for which all that was heard is no. */
function checkNothingUnasked({ mysql: { tables }, clients: { history } }: World): void {
  const possible = history.filter(({ kind }) => kind !== "fail");
  const unkeyed = new Map<string, number>();
  const keyed = new Set<string>();
  for (const { wish, order } of possible) {
    const { idempotencyKey: key, userId } = wish;
    if (key) keyed.add(derivedOrderId(userId, key, `${wish.productId}:${wish.quantity}`, SALE_START));
    else if (!order) unkeyed.set(kindOf(wish), (unkeyed.get(kindOf(wish)) ?? 0) + 1);
  }
  const promised = new Set(possible.flatMap(({ order }) => (order ? [order.orderId] : [])));
  for (const row of tables.orders.values()) {
    if (promised.has(row.orderId) || keyed.has(row.orderId) || row.failReason === "invalid_message") continue;
    const rest = unkeyed.get(kindOf(row)) ?? 0;
    expect(rest, `I8: ${row.orderId} of user ${row.userId} was asked for`).to.be.above(0);
    unkeyed.set(kindOf(row), rest - 1);
  }
}

function checkLetters(world: World): void {
  const { mysql, kafka } = world;
  const { tables, refused } = mysql;
  const places = new Set(kafka.letters.map(({ message }) => `${message.partition}:${message.offset}`));
  expect(tables.letters.size, "I11: the table and the topic have the same letters").to.equal(places.size);
  if (hasForgotten(world)) return;
  const parked = (id: string) => refused.has(id) && tables.orders.get(id)?.failReason === "invalid_message";
  const bad = kafka.logs.flat().filter(({ key }) => key.startsWith("poison") || parked(key));
  expect(places.size, "I11: dead letters = bad messages").to.equal(bad.length);
}

const kindOf = ({ userId, productId, quantity }: Wish | OrderRow): string =>
  `${userId} ${productId} ${quantity}`;
const successesOf = (orders: ReadonlyMap<string, OrderRow>, id: number): OrderRow[] =>
  [...orders.values()].filter(({ productId, status }) => productId === id && status === "SUCCESS");
const unitsOf = (rows: readonly OrderRow[]): number => rows.reduce((sum, { quantity }) => sum + quantity, 0);
