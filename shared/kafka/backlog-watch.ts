import type { Admin } from "kafkajs";
import type { BacklogAge, BacklogWatch } from "../domain/ports.ts";
import { TOPICS, WORKER_GROUP } from "./topics.ts";

/** Compares the orders topic's end with what the worker group has committed. */
export function createBacklogWatch(admin: Admin): BacklogWatch & BacklogAge {
  return { endOffsets, hasReached, hasOlderThan, lag };

  async function endOffsets(): Promise<ReadonlyMap<number, bigint>> {
    const partitions = await admin.fetchTopicOffsets(TOPICS.orders);
    return new Map(partitions.map(({ partition, high }) => [partition, BigInt(high)]));
  }

  async function hasReached(offsets: ReadonlyMap<number, bigint>): Promise<boolean> {
    const [committed, lows] = await Promise.all([committedOffsets(), lowOffsets()]);
    return [...offsets].every(([partition, end]) => {
      // A partition the group never committed in is done when it never held anything, or no longer does.
      const reached = committed.get(partition) ?? lows.get(partition) ?? 0n;
      return reached >= end;
    });
  }

  async function hasOlderThan(ms: number): Promise<boolean> {
    // By the producers' stamps: the first message of each partition that is not older; the end when all are.
    const young = await admin.fetchTopicOffsetsByTimestamp(TOPICS.orders, Date.now() - ms);
    return !(await hasReached(new Map(young.map(({ partition, offset }) => [partition, BigInt(offset)]))));
  }

  async function lag(): Promise<bigint> {
    const [ends, committed, lows] = await Promise.all([endOffsets(), committedOffsets(), lowOffsets()]);
    let total = 0n;
    for (const [partition, end] of ends) {
      total += end - (committed.get(partition) ?? lows.get(partition) ?? 0n);
    }
    return total;
  }

  async function committedOffsets(): Promise<Map<number, bigint>> {
    const topics = await admin.fetchOffsets({ groupId: WORKER_GROUP, topics: [TOPICS.orders] });
    const partitions = topics.flatMap((topic) => topic.partitions);
    // -1: nothing committed yet.
    return new Map(
      partitions.filter(({ offset }) => Number(offset) >= 0).map((p) => [p.partition, BigInt(p.offset)]),
    );
  }

  async function lowOffsets(): Promise<Map<number, bigint>> {
    const partitions = await admin.fetchTopicOffsets(TOPICS.orders);
    return new Map(partitions.map(({ partition, low }) => [partition, BigInt(low)]));
  }
}
