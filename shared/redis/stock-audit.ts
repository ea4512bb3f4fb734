import { ROWS_SHOWN_MAX, type HeldOrder, type StockAudit, type StockLook } from "../domain/consistency.ts";
import type { RedisClient } from "./client.ts";
import { keys } from "./keys.ts";
import { unpackOrder } from "./packed-order.ts";

/** Products asked about at once. */
const PRODUCTS_PER_CALL_MAX = 500;
const WALK_COUNT = 500;

/** Looks at a product's slot without touching it: a check may run in the middle of a sale. */
export function createStockAudit(client: RedisClient): StockAudit {
  return { look, unpublished, heldLongerThan };

  async function look(productIds: readonly number[]): Promise<ReadonlyMap<number, StockLook>> {
    const seen = new Map<number, StockLook>();
    for (const ids of parts(productIds)) {
      // Sent in one tick, hence in one pipeline.
      const looks = await Promise.all(
        ids.map((id) =>
          Promise.all([client.hget(keys.stock(id), "left"), client.hlen(keys.reservations(id))]),
        ),
      );
      looks.forEach(([left, reservations], i) => {
        seen.set(ids[i] ?? 0, { left: left === null ? null : Number(left), reservations });
      });
    }
    return seen;
  }

  async function unpublished(productIds: readonly number[], olderThanMs: number): Promise<HeldOrder[]> {
    const until = (await now()) - olderThanMs;
    const stuck: HeldOrder[] = [];
    for (const ids of parts(productIds)) {
      const waiting = await Promise.all(
        ids.map((id) =>
          client.zrangebyscore(keys.unpublished(id), "-inf", until, "LIMIT", 0, ROWS_SHOWN_MAX),
        ),
      );
      for (const [i, orderIds] of waiting.entries())
        stuck.push(...(await reservedAmong(ids[i] ?? 0, orderIds)));
    }
    return stuck;
  }

  /** An id without a reservation was decided: the sweeper drops it, nobody waits for it. */
  async function reservedAmong(productId: number, orderIds: readonly string[]): Promise<HeldOrder[]> {
    if (orderIds.length === 0) return [];
    const values = await client.hmget(keys.reservations(productId), ...orderIds);
    return orderIds.filter((_, i) => values[i] !== null).map((orderId) => ({ productId, orderId }));
  }

  async function heldLongerThan(productId: number, olderThanMs: number): Promise<boolean> {
    const until = (await now()) - olderThanMs;
    let cursor = "0";
    do {
      const [next, flat] = await client.hscan(keys.reservations(productId), cursor, "COUNT", WALK_COUNT);
      for (let i = 0; i < flat.length; i += 2)
        if (unpackOrder(flat[i] ?? "", productId, flat[i + 1] ?? "").acceptedAt <= until) return true;
      cursor = next;
    } while (cursor !== "0");
    return false;
  }

  async function now(): Promise<number> {
    const [seconds, micros] = await client.time();
    return Number(seconds) * 1_000 + Math.floor(Number(micros) / 1_000);
  }
}

function* parts(ids: readonly number[]): Generator<readonly number[]> {
  for (let i = 0; i < ids.length; i += PRODUCTS_PER_CALL_MAX) yield ids.slice(i, i + PRODUCTS_PER_CALL_MAX);
}
