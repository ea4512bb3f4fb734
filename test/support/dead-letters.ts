import { randomUUID } from "node:crypto";
import type { Kafka } from "kafkajs";
import { TOPICS } from "../../shared/kafka/topics.ts";
import { until } from "./until.ts";

const READ_DEADLINE_MS = 20_000;

export interface ParkedMessage {
  readonly topic: string;
  readonly partition: string;
  readonly offset: string;
  readonly error: string;
  readonly at: string;
  readonly value: Buffer | null;
}

/** Reads the dead-letter topic from its beginning to where it ends now, with a group of its own that is removed again. */
export async function readDeadLetters(kafka: Kafka): Promise<ParkedMessage[]> {
  const admin = kafka.admin();
  await admin.connect();
  const groupId = `flashpay-test-${randomUUID()}`;
  const consumer = kafka.consumer({ groupId, maxWaitTimeInMs: 100 });
  try {
    const [end] = await admin.fetchTopicOffsets(TOPICS.deadLetters);
    const wanted = Number(end?.high ?? 0) - Number(end?.low ?? 0);
    const parked: ParkedMessage[] = [];
    await consumer.connect();
    await consumer.subscribe({ topic: TOPICS.deadLetters, fromBeginning: true });
    await consumer.run({
      eachMessage: async ({ message }) => {
        const header = (name: string): string => message.headers?.[name]?.toString() ?? "";
        parked.push({
          topic: header("dlt-topic"),
          partition: header("dlt-partition"),
          offset: header("dlt-offset"),
          error: header("dlt-error"),
          at: header("dlt-at"),
          value: message.value,
        });
      },
    });
    await until("all dead letters are read", () => parked.length >= wanted, READ_DEADLINE_MS);
    return parked;
  } finally {
    await consumer.disconnect();
    await admin.deleteGroups([groupId]);
    await admin.disconnect();
  }
}
