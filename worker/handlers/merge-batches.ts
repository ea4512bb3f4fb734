import type { RawMessage } from "../../shared/domain/ports.ts";

/** Decides messages for good, or abandons them once `mine` is false. */
export type HandleBatch = (
  messages: readonly RawMessage[],
  mine: () => boolean,
) => Promise<"decided" | "abandoned">;

interface Part {
  readonly messages: readonly RawMessage[];
  readonly mine: () => boolean;
  readonly resolve: (outcome: "decided" | "abandoned") => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Hands what several partitions bring to `handle` as one batch, one batch after the other. By themselves partitions would
 * only wait for each other at the product's row; together they share a transaction, and the more there is to do the
 * larger it gets. An idle worker's first message waits for nothing but the other partitions of its fetch.
 * @param sizeMax messages in one batch; one partition's part, which is never split here, may alone be larger
 */
export function mergeBatches(handle: HandleBatch, sizeMax: number): HandleBatch {
  let waiting: Part[] = [];
  let running = false;

  return (messages, mine) =>
    new Promise((resolve, reject) => {
      waiting.push({ messages, mine, resolve, reject });
      if (running) return;
      running = true;
      // The partitions of one fetch arrive in one turn of the event loop.
      setImmediate(() => void work());
    });

  async function work(): Promise<void> {
    for (let parts = take(); parts.length > 0; parts = take()) await decide(parts);
    running = false;
  }

  /** What waits and is still this worker's, oldest first, up to sizeMax messages. */
  function take(): Part[] {
    const lost = waiting.filter(({ mine }) => !mine());
    for (const { resolve } of lost) resolve("abandoned");
    waiting = waiting.filter((part) => !lost.includes(part));
    let size = 0;
    const fitting = waiting.findIndex(({ messages }) => (size += messages.length) > sizeMax);
    return waiting.splice(0, fitting === -1 ? waiting.length : Math.max(1, fitting));
  }

  async function decide(parts: readonly Part[]): Promise<void> {
    try {
      const messages = parts.flatMap((part) => part.messages);
      const outcome = await handle(messages, () => parts.every(({ mine }) => mine()));
      if (outcome === "decided") for (const { resolve } of parts) resolve(outcome);
      // One partition went to another worker: the others are decided without it.
      else waiting.unshift(...parts);
    } catch (error) {
      for (const { reject } of parts) reject(error);
    }
  }
}
