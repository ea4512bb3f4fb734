import type { RawMessage } from "../shared/domain/ports.ts";

export type InHand = ReturnType<typeof createInHand>;

/** The batches being decided now, to tell the age of the oldest undecided message by Kafka's own time stamps. */
export function createInHand(now: () => number) {
  const oldestByPartition = new Map<number, number>();
  return {
    async while<T>(partition: number, messages: readonly RawMessage[], work: () => Promise<T>): Promise<T> {
      oldestByPartition.set(partition, messages[0]?.timestamp ?? now());
      try {
        return await work();
      } finally {
        oldestByPartition.delete(partition);
      }
    },
    oldestAgeS(): number {
      const oldest = Math.min(...oldestByPartition.values());
      return Number.isFinite(oldest) ? Math.max(0, now() - oldest) / 1_000 : 0;
    },
  };
}
