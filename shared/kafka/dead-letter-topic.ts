import type { Producer } from "kafkajs";
import type { DeadLetterTopic } from "../domain/ports.ts";
import { TOPICS } from "./topics.ts";

/** Parks messages as they came, with where they stood and why (contract §4). Rejects when the topic does not take them. */
export function createDeadLetterTopic(producer: Producer, now: () => number): DeadLetterTopic {
  return {
    async park(letters) {
      if (letters.length === 0) return;
      await producer.send({
        topic: TOPICS.deadLetters,
        acks: -1,
        messages: letters.map(({ message, error }) => ({
          key: bufferOf(message.key),
          value: bufferOf(message.value),
          headers: {
            "dlt-topic": message.topic,
            "dlt-partition": String(message.partition),
            "dlt-offset": message.offset,
            "dlt-error": error,
            "dlt-at": new Date(now()).toISOString(),
            ...(message.traceparent && { traceparent: message.traceparent }),
          },
        })),
      });
    },
  };
}

const bufferOf = (bytes: Uint8Array | null): Buffer | null => bytes && Buffer.from(bytes);
