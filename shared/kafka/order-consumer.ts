import type { Consumer, EachBatchPayload, IHeaders, Kafka } from "kafkajs";
import type { Log, RawMessage } from "../domain/ports.ts";
import { traceIdIn } from "../domain/trace-context.ts";
import { TOPICS, WORKER_GROUP } from "./topics.ts";

/** Heartbeats in one session time-out: two may be lost. */
const HEARTBEATS_PER_SESSION = 3;
/** How long the broker may hold an empty fetch: stopping waits for it. */
const FETCH_WAIT_MS = 100;
/** Partitions that are added are found this much later, at most; until then nobody decides what is in them. */
const TOPIC_KNOWN_MAX_MS = 10_000;
/**
 * Batches begin at this distance at least, unless a full one waits: what comes meanwhile shares their transaction, their
 * commit and their fetch, whose costs are the same for one order and for a hundred.
 */
const BATCH_EVERY_MS = 40;
const TRACEPARENT_BYTES = 55;
const FETCH_BYTES_PER_PARTITION = 1_048_576;
/** Partitions whose messages may be handed over at once; `handle` makes common batches of them. */
const PARTITIONS_AT_ONCE_MAX = 16;

export interface ConsumerOptions {
  readonly kafka: Kafka;
  /** A killed worker's partitions stand still for this long. */
  readonly sessionTimeoutMs: number;
  /** Messages handed to `handle` at once, and decided in one transaction. */
  readonly batchMax: number;
  readonly log: Log;
  /**
   * Decides the messages for good, or abandons them once `mine` is false (the partition went to another worker, or this
   * one stops): then nothing is committed and the same messages come again.
   */
  readonly handle: (messages: readonly RawMessage[], mine: () => boolean) => Promise<"decided" | "abandoned">;
  /** Called once when consumption has ended by itself: the process must end, too. */
  readonly onDead: (error: Error) => void;
  /** ms, never going back. */
  readonly elapsed?: () => number;
}

export interface OrderConsumer {
  start(): Promise<void>;
  /** Finishes the batch at hand, commits, leaves the group. */
  stop(): Promise<void>;
  /** Whether this worker is a member of its group. */
  joined(): boolean;
}

export function createOrderConsumer({
  kafka,
  sessionTimeoutMs,
  batchMax,
  log,
  handle,
  onDead,
  elapsed = () => performance.now(),
}: ConsumerOptions): OrderConsumer {
  const heartbeatMs = Math.floor(sessionTimeoutMs / HEARTBEATS_PER_SESSION);
  const consumer: Consumer = kafka.consumer({
    groupId: WORKER_GROUP,
    sessionTimeout: sessionTimeoutMs,
    heartbeatInterval: heartbeatMs,
    maxWaitTimeInMs: FETCH_WAIT_MS,
    maxBytesPerPartition: FETCH_BYTES_PER_PARTITION,
    metadataMaxAge: TOPIC_KNOWN_MAX_MS,
    allowAutoTopicCreation: false,
    // The group outlives a Kafka that is away for longer than any retry: kafkajs restarts the runner.
    retry: {
      retries: 10,
      initialRetryTime: 100,
      maxRetryTime: 5_000,
      restartOnFailure: () => Promise.resolve(!stopping),
    },
  });
  let stopping = false;
  let member = false;
  let committing: Promise<void> | undefined;

  return { start, stop, joined: () => member };

  async function start(): Promise<void> {
    consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
      member = true;
      log.info({ partitions: payload.memberAssignment[TOPICS.orders] ?? [] }, "joined the group");
    });
    consumer.on(consumer.events.REBALANCING, () => {
      member = false;
    });
    consumer.on(consumer.events.CRASH, ({ payload }) => {
      member = false;
      if (!payload.restart && !stopping) onDead(payload.error);
    });
    await consumer.connect();
    await consumer.subscribe({ topic: TOPICS.orders, fromBeginning: true });
    await consumer.run({
      eachBatchAutoResolve: false,
      partitionsConsumedConcurrently: PARTITIONS_AT_ONCE_MAX,
      eachBatch,
    });
  }

  async function eachBatch(payload: EachBatchPayload): Promise<void> {
    const { batch, resolveOffset, heartbeat } = payload;
    const startedAt = elapsed();
    const mine = () => !stopping && payload.isRunning() && !payload.isStale();
    for (let i = 0; i < batch.messages.length; i += batchMax) {
      if (!mine()) return;
      const part = batch.messages.slice(i, i + batchMax);
      const messages = part.map(({ key, value, offset, timestamp, headers }): RawMessage => ({
        topic: batch.topic,
        partition: batch.partition,
        timestamp: Number(timestamp),
        offset,
        key,
        value,
        ...traceIn(headers),
      }));
      const outcome = await beating(heartbeat, heartbeatMs, () => handle(messages, mine));
      if (outcome === "abandoned") return;
      // Only now: what is resolved may be committed, and what is committed never comes again.
      const last = messages.at(-1);
      if (last) resolveOffset(last.offset);
      await commit(payload);
      await heartbeat();
    }
    if (batch.messages.length < batchMax && !stopping) await sleep(startedAt + BATCH_EVERY_MS - elapsed());
  }

  /** Partitions whose messages were decided together have resolved their offsets by the end of this turn: one request. */
  function commit({ commitOffsetsIfNecessary, uncommittedOffsets }: EachBatchPayload): Promise<void> {
    committing ??= endOfTurn().then(() => {
      committing = undefined;
      return commitOffsetsIfNecessary(uncommittedOffsets());
    });
    return committing;
  }

  async function stop(): Promise<void> {
    stopping = true;
    await consumer.disconnect();
    member = false;
  }
}

const endOfTurn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));
const sleep = (ms: number): Promise<void> =>
  new Promise((resolve) => void setTimeout(resolve, Math.max(0, ms)));

/** The header `traceparent`, when it is a valid one. Any other is left alone: it says nothing about the order. */
function traceIn(headers: IHeaders | undefined): Pick<RawMessage, "traceparent"> {
  const header = headers?.["traceparent"];
  if (!Buffer.isBuffer(header) || header.length !== TRACEPARENT_BYTES) return {};
  const traceparent = header.toString("latin1");
  return traceIdIn(traceparent) ? { traceparent } : {};
}

/** Keeps the membership alive while a batch takes long: the broker must not give it away behind a slow database. */
async function beating<T>(
  heartbeat: () => Promise<void>,
  everyMs: number,
  work: () => Promise<T>,
): Promise<T> {
  const timer = setInterval(() => {
    // A refused heartbeat is a rebalance: the next one, at the end of the part, reports it.
    heartbeat().catch(() => undefined);
  }, everyMs);
  try {
    return await work();
  } finally {
    clearInterval(timer);
  }
}
