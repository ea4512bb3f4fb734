import { ReplyError } from "ioredis";
import { v7 as uuidv7 } from "uuid";
import type {
  Confirmation,
  Counters,
  EarlyEnd,
  Log,
  ProductCounters,
  Reserved,
  ReserveOutcome,
  SettledReservation,
  StockStore,
} from "../domain/ports.ts";
import type { OrderMessage } from "../domain/order.ts";
import { DomainError, isRefusal } from "../domain/errors.ts";
import { groupBy, inParts } from "../domain/group-by.ts";
import { createBatchedCalls } from "./batched-calls.ts";
import { defineItemsScript, defineScript, ITEMS_PER_CALL_MAX, type RedisClient } from "./client.ts";
import { keys, tombstoneBucket } from "./keys.ts";
import { packOrder, unpackOrder } from "./packed-order.ts";

/** Of reserve.lua: a word and the facts. */
const REPLIES_OF_ONE = 2;
/** Reservations looked at in one step of a walk. */
const WALK_COUNT = 500;
/** How long one confirmation vouches for a product's counters (confirm.lua). */
const CONFIRMED_FOR_MS = 1_000;
/** How ioredis says that it never sent a command, for want of a connection. */
const UNSENT = "Stream isn't writeable";
/** A staged hash of a loader that died. */
const STAGED_KEPT_MS = 600_000;

type Wish = Parameters<StockStore["reserve"]>[0];

export function createStockStore(client: RedisClient): StockStore {
  const reserveScript = defineScript(client, "reserve", 5);
  const settleScript = defineScript(client, "settle", 5);
  const dropPendingScript = defineItemsScript(client, "drop-pending", 1);
  const reserving = createBatchedCalls<Wish, string[]>({
    groupOf: ({ productId, orderId }) => `${productId}:${tombstoneBucket(orderId).bucket}`,
    max: ITEMS_PER_CALL_MAX,
    call: reserveAll,
  });
  const loadScript = defineScript(client, "load", 4);
  const confirmScript = defineScript(client, "confirm", 1);
  const mendScript = defineScript(client, "mend", 1);
  const raiseScript = defineScript(client, "raise", 1);
  const endEarlyScript = defineScript(client, "end-early", 1);

  return {
    ...{ reserve, confirm, markPublished, settle, left, counters, findReservation, unpublished },
    ...{ reservations, load, shut, mend, raise, endEarly },
  };

  async function reserve(wish: Wish): Promise<ReserveOutcome> {
    const { orderId, productId } = wish;
    const [outcome = "", facts] = await reserving(wish).catch(notReadyOnRefusal);
    if (outcome === "reserved" && facts) return { outcome, ...reservedOf(orderId, productId, facts) };
    if (isRefusal(outcome)) return { outcome };
    if (outcome === "not_loaded" || outcome === "unconfirmed") return { outcome };
    if (outcome === "already_decided" && facts)
      return { outcome, order: unpackOrder(orderId, productId, facts) };
    throw new Error(`reserve.lua returned ${outcome}`);
  }

  /** Of one product and one bucket. */
  async function reserveAll(wishes: readonly Wish[]): Promise<string[][]> {
    const { productId, orderId } = wishes[0] ?? { productId: 0, orderId: "" };
    const args: (string | number)[] = [];
    for (const wish of wishes) args.push(wish.orderId, wish.userId, wish.quantity);
    const shared = slotKeys(productId, tombstoneBucket(orderId).bucket);
    return inParts((await reserveScript(...shared, ...args)) as string[], REPLIES_OF_ONE);
  }

  async function confirm(productId: number, knownEpoch: number): Promise<Confirmation> {
    const reply = await confirmScript(keys.stock(productId), knownEpoch, CONFIRMED_FOR_MS);
    const [outcome, epoch] = reply as [Confirmation["outcome"], number?];
    return outcome === "not_loaded" ? { outcome } : { outcome, epoch: epoch ?? -1 };
  }

  async function markPublished(orders: Parameters<StockStore["markPublished"]>[0]): Promise<void> {
    const calls: Promise<unknown>[] = [];
    for (const [productId, ofProduct] of groupBy(orders, ({ productId }) => productId)) {
      for (const part of inParts(ofProduct, ITEMS_PER_CALL_MAX)) {
        calls.push(client.zrem(keys.unpublished(productId), ...part.map(({ orderId }) => orderId)));
      }
    }
    await Promise.all(calls);
  }

  async function settle(orders: readonly SettledReservation[]): Promise<void> {
    const calls: Promise<unknown>[] = [];
    const groups = groupBy(
      orders,
      ({ order }) => `${order.productId}:${tombstoneBucket(order.orderId).bucket}`,
    );
    for (const group of groups.values()) {
      for (const part of inParts(group, ITEMS_PER_CALL_MAX)) calls.push(settlePart(part));
    }
    for (const part of inParts(orders, dropPendingScript.itemsMax)) calls.push(dropPending(part));
    await Promise.all(calls);
  }

  async function settlePart(part: readonly SettledReservation[]): Promise<void> {
    const first = part[0];
    if (!first) return;
    const { bucket, keptMs } = tombstoneBucket(first.order.orderId);
    const triples = part.flatMap(({ order, as }) => [
      order.orderId,
      as === "SUCCESS" ? "S" : "F",
      factsOf(order),
    ]);
    await settleScript(...slotKeys(first.order.productId, bucket), keptMs, ...triples);
  }

  async function dropPending(part: readonly SettledReservation[]): Promise<void> {
    await dropPendingScript.call(
      part.map(({ order }) => keys.pending(order.userId)),
      part.map(({ order }) => order.orderId),
    );
  }

  async function left(productIds: readonly number[]): Promise<ReadonlyMap<number, number>> {
    const known = await counters(productIds);
    return new Map([...known].map(([id, { left: units }]) => [id, Math.max(0, units)]));
  }

  async function counters(productIds: readonly number[]): Promise<ReadonlyMap<number, Counters>> {
    const replies = await Promise.all(
      productIds.map((id) => client.hmget(keys.stock(id), "left", "held", "epoch", "end", "stock")),
    );
    const known = new Map<number, Counters>();
    productIds.forEach((id, i) => {
      const [units, held, epoch, endTime, total] = replies[i] ?? [];
      if (!units) return;
      const moved = { epoch: Number(epoch ?? -1), endTime: Number(endTime), stock: Number(total ?? -1) };
      known.set(id, { left: Number(units), held: Number(held ?? 0), ...moved });
    });
    return known;
  }

  async function findReservation(productId: number, orderId: string): Promise<Reserved | null> {
    const facts = await client.hget(keys.reservations(productId), orderId);
    return facts === null ? null : reservedOf(orderId, productId, facts);
  }

  async function unpublished(productId: number, olderThanMs: number, limit: number): Promise<Reserved[]> {
    const [seconds, micros] = await client.time();
    const until = Number(seconds) * 1000 + Math.floor(Number(micros) / 1000) - olderThanMs;
    const ids = await client.zrangebyscore(keys.unpublished(productId), "-inf", until, "LIMIT", 0, limit);
    if (ids.length === 0) return [];
    const values = await client.hmget(keys.reservations(productId), ...ids);
    // An id without a reservation was decided in between: there is nothing left to publish.
    const orphans = ids.filter((_, i) => values[i] === null);
    if (orphans.length > 0) await client.zrem(keys.unpublished(productId), ...orphans);
    return ids.flatMap((id, i) => {
      const facts = values[i];
      return facts ? [reservedOf(id, productId, facts)] : [];
    });
  }

  async function reservations(
    productId: number,
    cursor: string,
  ): Promise<{ cursor: string; reserved: Reserved[] }> {
    const [next, flat] = await client.hscan(keys.reservations(productId), cursor, "COUNT", WALK_COUNT);
    const reserved: Reserved[] = [];
    for (let i = 0; i < flat.length; i += 2)
      reserved.push(reservedOf(flat[i] ?? "", productId, flat[i + 1] ?? ""));
    return { cursor: next, reserved };
  }

  async function load({ product, bought, epoch }: ProductCounters): Promise<"loaded" | "present"> {
    const staged = keys.boughtStaged(product.id, uuidv7());
    for await (const rows of bought) {
      if (rows.length === 0) continue;
      await client.hset(staged, ...rows.flatMap(({ userId, quantity }) => [userId, quantity]));
      await client.pexpire(staged, STAGED_KEPT_MS);
    }
    const loaded = await loadScript(
      keys.stock(product.id),
      keys.reservations(product.id),
      keys.bought(product.id),
      staged,
      product.stock - product.sold,
      product.startTime,
      product.endTime,
      product.perUserLimit,
      product.price,
      product.currency,
      epoch,
      CONFIRMED_FOR_MS,
      product.stock,
    );
    return loaded === 1 ? "loaded" : "present";
  }

  async function shut(productId: number): Promise<void> {
    await client.del(keys.stock(productId));
  }

  async function mend(
    { id, stock, endTime }: Parameters<StockStore["mend"]>[0],
    units: number,
    { left: seenLeft, held, epoch }: Counters,
  ): Promise<"mended" | "moved"> {
    const mended = await mendScript(keys.stock(id), units, seenLeft + held, epoch, endTime, stock);
    return mended === 1 ? "mended" : "moved";
  }

  async function raise(productId: number, total: number): Promise<void> {
    await raiseScript(keys.stock(productId), total);
  }

  async function endEarly(
    { id, startTime }: Parameters<StockStore["endEarly"]>[0],
    wanted: number | "now",
  ): Promise<EarlyEnd> {
    const reply = await endEarlyScript(keys.stock(id), wanted === "now" ? 0 : wanted, startTime);
    const [outcome, endTime] = reply as [EarlyEnd["outcome"], number?];
    return outcome === "ends" ? { outcome, endTime: endTime ?? 0 } : { outcome };
  }
}

/**
 * An error that Redis itself answers with (out of memory, read-only, no disk) means that the script wrote nothing; an
 * unsent command neither. Everything else may have run.
 */
function notReadyOnRefusal(error: unknown): never {
  const unsent = error instanceof Error && error.message.startsWith(UNSENT);
  if (!(error instanceof ReplyError) && !unsent) throw error;
  throw new DomainError(
    "not_ready",
    "Redis takes no orders right now.",
    { retryAfterS: 1 },
    { cause: error },
  );
}

/** For a publisher's `onPublished`: not awaited, and what fails is swept. */
export function markPublished(stock: Pick<StockStore, "markPublished">, log: Log) {
  return (orders: Parameters<StockStore["markPublished"]>[0]): void => {
    stock.markPublished(orders).catch((error: unknown) => {
      log.debug({ err: error }, "not marked as published; the sweeper hands these over again");
    });
  };
}

function slotKeys(productId: number, bucket: string): [string, string, string, string, string] {
  return [
    keys.stock(productId),
    keys.reservations(productId),
    keys.unpublished(productId),
    keys.bought(productId),
    keys.decided(productId, bucket),
  ];
}

function reservedOf(orderId: string, productId: number, facts: string): Reserved {
  const order = unpackOrder(orderId, productId, facts);
  return { order, value: JSON.stringify(order) };
}

const isWhole = (order: SettledReservation["order"]): order is OrderMessage => order.v !== undefined;

/** The facts of acceptance, when all are known: what a tombstone has to tell. */
function factsOf(order: SettledReservation["order"]): string {
  return isWhole(order) ? packOrder(order) : "";
}
