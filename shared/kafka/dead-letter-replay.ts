import CircuitBreaker from "opossum";
import type { Producer } from "kafkajs";
import type { DeadLetterReplay } from "../domain/ports.ts";
import { TOPICS } from "./topics.ts";

/** A failing log is tried again this much later. */
const BREAKER_RESET_MS = 1_000;
const BREAKER_WINDOW_MS = 1_000;
const BREAKER_ERRORS_PERCENT = 50;

export interface DeadLetterReplayOptions {
  readonly producer: Pick<Producer, "send">;
  /** How long a replay waits for its acknowledgement; afterwards its outcome is unknown. */
  readonly produceTimeoutMs: number;
}

/**
 * Puts letters into the orders topic again, byte for byte: not by way of the orders' own queue, which knows valid orders
 * only. Whoever replays holds a lock and a connection to the database meanwhile, so the first replay that fails stands
 * for those that follow within BREAKER_RESET_MS: they fail at once instead of waiting one after the other.
 */
export function createDeadLetterReplay({
  producer,
  produceTimeoutMs,
}: DeadLetterReplayOptions): DeadLetterReplay {
  const breaker = new CircuitBreaker(
    async ({ key, value }: Parameters<DeadLetterReplay["send"]>[0]) => {
      const message = { key: key && Buffer.from(key), value: value && Buffer.from(value) };
      await producer.send({ topic: TOPICS.orders, acks: -1, messages: [message] });
    },
    {
      timeout: produceTimeoutMs,
      resetTimeout: BREAKER_RESET_MS,
      rollingCountTimeout: BREAKER_WINDOW_MS,
      errorThresholdPercentage: BREAKER_ERRORS_PERCENT,
    },
  );
  return { send: (letter) => breaker.fire(letter) };
}
