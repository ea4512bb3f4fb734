import type { DecisionNews, Log } from "../domain/ports.ts";
import { listeningClient, type RedisClient } from "./client.ts";

const CHANNEL = "orders:decided";
/** Order ids in one message: 37 bytes each. */
const IDS_PER_MESSAGE_MAX = 1_000;

/**
 * Which orders were just decided, from the workers to every API process. Redis forgets a message that nobody hears: it is a
 * hint to look into the database, never the news itself.
 */
export function createDecisionNews(client: RedisClient): DecisionNews {
  return {
    async tell(orderIds) {
      const calls: Promise<unknown>[] = [];
      for (let i = 0; i < orderIds.length; i += IDS_PER_MESSAGE_MAX) {
        calls.push(client.publish(CHANNEL, orderIds.slice(i, i + IDS_PER_MESSAGE_MAX).join(",")));
      }
      await Promise.all(calls);
    },
  };
}

/**
 * Calls back with the order ids of each message, on a connection of its own that comes back by itself.
 * @returns what ends it
 */
export function followDecisionNews(
  client: RedisClient,
  log: Log,
  onDecided: (orderIds: readonly string[]) => void,
): { stop(): void } {
  const subscriber = listeningClient(client);
  subscriber.on("error", (error: Error) => {
    log.debug({ err: error }, "news of decisions are not heard; followers are told by the database");
  });
  subscriber.on("message", (_channel: string, ids: string) => {
    onDecided(ids.split(","));
  });
  subscriber.on("ready", () => {
    subscriber.subscribe(CHANNEL).catch((error: unknown) => {
      log.warn({ err: error }, "news of decisions are not heard; followers are told by the database");
    });
  });
  return {
    stop: () => {
      subscriber.disconnect();
    },
  };
}
