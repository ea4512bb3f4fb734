import type { Message, Producer } from "kafkajs";
import { YARDSTICK_TOPIC } from "./wiring.ts";

const IN_FLIGHT_MAX = 2;
const BATCH_MAX = 500;

interface Waiting {
  readonly message: Message;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** Micro-batches: all messages that wait go in one request, at most two requests at a time. */
export function createPublisher(producer: Producer, onPublished: (orderIds: string[]) => void) {
  const waiting: Waiting[] = [];
  let inFlight = 0;
  let scheduled = false;
  return {
    publish: (message: Message): Promise<void> =>
      new Promise((resolve, reject) => {
        waiting.push({ message, resolve, reject });
        schedule();
      }),
  };

  function schedule(): void {
    if (scheduled || inFlight >= IN_FLIGHT_MAX || waiting.length === 0) return;
    scheduled = true;
    setImmediate(() => {
      scheduled = false;
      void flush();
    });
  }

  async function flush(): Promise<void> {
    const batch = waiting.splice(0, BATCH_MAX);
    inFlight += 1;
    try {
      await producer.send({
        topic: YARDSTICK_TOPIC,
        acks: -1,
        messages: batch.map(({ message }) => message),
      });
      onPublished(batch.map(({ message }) => String(message.key)));
      for (const { resolve } of batch) resolve();
    } catch (error) {
      for (const { reject } of batch) reject(error);
    } finally {
      inFlight -= 1;
      schedule();
    }
  }
}
