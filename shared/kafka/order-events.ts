import CircuitBreaker from "opossum";
import type { IHeaders, Producer } from "kafkajs";
import type { Log, OrderEvents, Tracing } from "../domain/ports.ts";
import { traced } from "../domain/trace-context.ts";
import { TOPICS } from "./topics.ts";

/** Messages in one request: 27 µs of CPU each at 100, hardly less above. */
const BATCH_MESSAGES_MAX = 500;
/** One request is filling while another is on its way. */
const REQUESTS_IN_FLIGHT_MAX = 2;
/** Orders that may wait for a request; above it intake refuses before anything is taken. */
const QUEUE_MAX = 5_000;
/** A failing log is tried again this much later. */
const BREAKER_RESET_MS = 1_000;
/** A trial order may be refused before it gets here (sold out): then the next one has its turn. */
const TRIAL_EVERY_MS = 500;
/**
 * The breaker opens when half of the requests of this long failed, be it a single one: while the log hangs, each request
 * takes as long as its time-out, and a longer window would still be full of successes.
 */
const BREAKER_WINDOW_MS = 1_000;
const BREAKER_ERRORS_PERCENT = 50;
const MESSAGING = {
  "messaging.system": "kafka",
  "messaging.destination.name": TOPICS.orders,
  "messaging.operation.type": "send",
};

export interface OrderEventsOptions {
  readonly producer: Pick<Producer, "send">;
  /** How long an order waits for its acknowledgement; afterwards its outcome is unknown. */
  readonly produceTimeoutMs: number;
  readonly log: Log;
  readonly tracing?: Tracing | undefined;
  readonly onBatch?: (result: { size: number; ms: number; ok: boolean }) => void;
  /** Called once a batch is in the log, also when its orders have stopped waiting. */
  readonly onPublished: (orders: readonly PublishedOrder[]) => void;
}
export interface PublishedOrder {
  readonly orderId: string;
  readonly productId: number;
}
interface Waiting extends PublishedOrder {
  readonly message: { readonly key: string; readonly value: string; readonly headers?: IHeaders };
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

export interface BatchingOrderEvents extends OrderEvents {
  /** Whether the log takes orders as far as is known; asking changes nothing. */
  healthy(): boolean;
  /** Resolves when nothing is waiting and nothing is on its way. */
  drained(): Promise<void>;
}

/**
 * Hands orders to the log. kafkajs never batches across send() calls, so all orders that wait now go in one request:
 * a single send costs 200 µs of CPU, one of a hundred 27. The producer must not be `idempotent` (kafkajs winds its
 * sequence back on an error and then loses messages in silence); the worker removes duplicates by order id.
 */
export function createOrderEvents(options: OrderEventsOptions): BatchingOrderEvents {
  const { producer, produceTimeoutMs, log, tracing, onBatch, onPublished } = options;
  const queue: Waiting[] = [];
  /** Counts requests: the partitions take turns (partitioner.ts). */
  let turn = 0;
  let inFlight = 0;
  let scheduled = false;
  let triedAt = -Infinity;
  let idle: (() => void)[] = [];

  const breaker = new CircuitBreaker(
    async (batch: readonly Waiting[]) => {
      const partition = turn;
      turn += 1;
      const messages = batch.map(({ message }) => ({ ...message, partition }));
      await producer.send({ topic: TOPICS.orders, acks: -1, messages });
      onPublished(batch);
    },
    {
      timeout: produceTimeoutMs,
      resetTimeout: BREAKER_RESET_MS,
      rollingCountTimeout: BREAKER_WINDOW_MS,
      errorThresholdPercentage: BREAKER_ERRORS_PERCENT,
    },
  );
  breaker.on("open", () => {
    log.warn({ waiting: queue.length }, "the log does not take orders; refusing new ones until it does");
    // They hold their units: the sweeper hands them over. Nobody waits for a log that is known to hang.
    for (const { reject } of queue.splice(0)) reject(new Error("the log does not take orders"));
  });
  breaker.on("close", () => {
    log.info({}, "the log takes orders again");
  });

  return { accepting, healthy, publish, drained };

  function healthy(): boolean {
    return breaker.closed && queue.length < QUEUE_MAX;
  }

  function accepting(): boolean {
    if (!breaker.halfOpen) return healthy();
    // After BREAKER_RESET_MS one order at a time tries whether the log is back. Who asks takes the turn: the others, who ask
    // while it is at Redis, would take units only to hear that the outcome is unknown.
    const now = performance.now();
    if (inFlight > 0 || queue.length > 0 || now - triedAt < TRIAL_EVERY_MS) return false;
    triedAt = now;
    return true;
  }

  function publish(order: PublishedOrder, value: string, parent?: string): Promise<void> {
    const { orderId } = order;
    const span = {
      kind: "producer",
      parent,
      attributes: { ...MESSAGING, "flashpay.order.id": orderId },
    } as const;
    return traced(tracing, `send ${TOPICS.orders}`, span, (traceparent) =>
      enqueue(order, value, traceparent),
    );
  }

  function enqueue(order: PublishedOrder, value: string, traceparent?: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const { orderId, productId } = order;
      const message = { key: orderId, value, ...(traceparent && { headers: { traceparent } }) };
      queue.push({ orderId, productId, message, resolve, reject });
      schedule();
    });
  }

  /** One turn of the event loop later, so that all orders of this turn share the request. */
  function schedule(): void {
    if (scheduled || inFlight >= REQUESTS_IN_FLIGHT_MAX || queue.length === 0) return;
    scheduled = true;
    setImmediate(() => {
      scheduled = false;
      const batch = queue.splice(0, BATCH_MESSAGES_MAX);
      if (batch.length > 0) void send(batch);
      schedule();
    });
  }

  async function send(batch: Waiting[]): Promise<void> {
    inFlight += 1;
    const startedAt = performance.now();
    let ok = false;
    try {
      await breaker.fire(batch);
      ok = true;
      for (const { resolve } of batch) resolve();
    } catch (error) {
      // Also after a time-out or a cut connection: the log may have the batch.
      for (const { reject } of batch) reject(error);
    } finally {
      inFlight -= 1;
      onBatch?.({ size: batch.length, ms: performance.now() - startedAt, ok });
      schedule();
      if (inFlight === 0 && queue.length === 0) {
        for (const done of idle) done();
        idle = [];
      }
    }
  }

  function drained(): Promise<void> {
    if (inFlight === 0 && queue.length === 0) return Promise.resolve();
    return new Promise((resolve) => idle.push(resolve));
  }
}
