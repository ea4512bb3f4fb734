import type { AnsweredOrders, IntakeCounts } from "../domain/ports.ts";
import { LATENCY_STEPS } from "../domain/latency.ts";
import type { RedisClient } from "./client.ts";
import { keys } from "./keys.ts";

/** Longer than anybody looks back at a sale live. */
const KEPT_MS = 8 * 24 * 3_600_000;

export function createIntakeCounts(client: RedisClient): IntakeCounts {
  return { add, answered, latencies };

  async function add({ sales, latencies: counts }: Parameters<IntakeCounts["add"]>[0]): Promise<void> {
    const calls: Promise<unknown>[] = [];
    for (const [productId, { accepted, refused }] of sales) {
      const key = keys.answered(productId);
      if (accepted > 0) calls.push(client.hincrby(key, "accepted", accepted));
      if (refused > 0) calls.push(client.hincrby(key, "refused", refused));
      calls.push(client.pexpire(key, KEPT_MS));
    }
    for (const [step, count] of counts.entries())
      if (count > 0) calls.push(client.hincrby(keys.latencies(), String(step), count));
    await Promise.all(calls);
  }

  async function answered(productIds: readonly number[]): Promise<ReadonlyMap<number, AnsweredOrders>> {
    const rows = await Promise.all(
      productIds.map((id) => client.hmget(keys.answered(id), "accepted", "refused")),
    );
    return new Map(
      productIds.map((id, i) => [
        id,
        { accepted: Number(rows[i]?.[0] ?? 0), refused: Number(rows[i]?.[1] ?? 0) },
      ]),
    );
  }

  async function latencies(): Promise<readonly number[]> {
    const counts = await client.hgetall(keys.latencies());
    return Array.from({ length: LATENCY_STEPS }, (_, step) => Number(counts[String(step)] ?? 0));
  }
}
