import { setTimeout as delay } from "node:timers/promises";
import { placeOf } from "../../shared/domain/dead-letter.ts";
import { decide, type Decision } from "../../shared/domain/decide.ts";
import { MESSAGE_BYTES_MAX, parseOrderMessage } from "../../shared/domain/order-message.ts";
import type { FailReason, OrderMessage } from "../../shared/domain/order.ts";
import type {
  DeadLetter,
  DeadLetterTopic,
  DecisionNews,
  DecisionStore,
  DecisionWriter,
  Log,
  RawMessage,
  SettledReservation,
  StockStore,
  Tracing,
} from "../../shared/domain/ports.ts";
import { traceIdIn } from "../../shared/domain/trace-context.ts";
import { traceBatch, type InTransaction } from "../batch-trace.ts";
import { failureAction } from "../failure-policy.ts";

const BACK_OFF_FIRST_MS = 100;
const BACK_OFF_MAX_MS = 5_000;
/** A batch that failed is tried again in parts, down to this many messages. */
const BATCH_MIN = 25;

/** Reasons that tell of a wrong producer, not of a sale: the message is parked as well. */
const SUSPICIOUS: ReadonlySet<FailReason> = new Set([
  "outside_window",
  "price_mismatch",
  "unknown_product",
  "unknown_user",
  "invalid_message",
]);

export interface OrderPlacedDependencies {
  readonly store: DecisionStore;
  readonly stock: Pick<StockStore, "settle">;
  readonly deadLetters: DeadLetterTopic;
  readonly news: DecisionNews;
  readonly log: Log;
  readonly tracing?: Tracing | undefined;
  readonly now: () => number;
  readonly observe: (batch: BatchReport) => void;
  /** Whether each decision has a line of its own in the log, at level debug; costs something for each order. */
  readonly tellsEach?: boolean;
  /** The wait after a failed attempt, counted from 0. */
  readonly backOff?: (attempt: number) => Promise<void>;
}

export interface BatchReport {
  readonly size: number;
  readonly ms: number;
  readonly decisions: readonly Decision[];
  readonly parked: number;
}

interface Readable {
  readonly raw: RawMessage;
  readonly order: OrderMessage;
}
interface Parsed {
  readonly messages: readonly RawMessage[];
  readonly readable: readonly Readable[];
  readonly bad: readonly DeadLetter[];
}

/**
 * Decides one batch of order messages: one transaction, then the dead letters, then Redis. Repeating it at any point
 * changes nothing more. It gives up only when `mine` says so; an outage is waited for, for as long as it takes.
 */
export function createOrderPlacedHandler({
  store,
  stock,
  deadLetters,
  news,
  log,
  tracing,
  now,
  observe,
  tellsEach = true,
  backOff = backOffWithJitter,
}: OrderPlacedDependencies) {
  return async function handle(
    messages: readonly RawMessage[],
    mine: () => boolean,
  ): Promise<"decided" | "abandoned"> {
    let size = messages.length;
    let attempt = 0;
    for (let done = 0; done < messages.length;) {
      if (!mine()) return "abandoned";
      const part = messages.slice(done, done + size);
      try {
        await decideAll(part);
        done += part.length;
        attempt = 0;
      } catch (error) {
        log.warn({ err: error, size: part.length, attempt }, "batch not decided; trying again");
        // A slow or contended database may manage half of it within its time.
        size = Math.max(BATCH_MIN, Math.ceil(size / 2));
        await backOff(attempt);
        attempt += 1;
      }
    }
    return "decided";
  };

  /** Decides all; a row that the database refuses is found by halving and parked alone. */
  async function decideAll(messages: readonly RawMessage[]): Promise<void> {
    try {
      await decideBatch(parse(messages));
    } catch (error) {
      const [only] = messages;
      if (failureAction(error) === "retry" || !only) throw error;
      if (messages.length === 1) {
        await parkRefused(only, error);
        return;
      }
      const middle = Math.ceil(messages.length / 2);
      await decideAll(messages.slice(0, middle));
      await decideAll(messages.slice(middle));
    }
  }

  function decideBatch(parsed: Parsed): Promise<void> {
    if (!tracing) return decideParsed(parsed, (work) => work());
    return traceBatch(tracing, parsed.messages, (inTransaction) => decideParsed(parsed, inTransaction));
  }

  async function decideParsed(parsed: Parsed, inTransaction: InTransaction): Promise<void> {
    const startedAt = performance.now();
    const { decisions, letters, named } = await inTransaction(() =>
      store.transaction((writer) => transact(writer, parsed)),
    );
    // Before the offsets move: a letter that the topic does not take comes again with its batch.
    await deadLetters.park(letters);
    const ended = [
      ...decisions.flatMap(endedReservation),
      ...letters.flatMap((letter) => endedByName(letter, named)),
    ];
    tell(ended);
    await housekeep(ended);
    observe({
      size: parsed.messages.length,
      ms: performance.now() - startedAt,
      decisions,
      parked: letters.length,
    });
    report(parsed, decisions, letters);
  }

  async function transact(writer: DecisionWriter, { messages, readable, bad }: Parsed) {
    const orders = readable.map(({ order }) => order);
    const claimed = [...orders, ...bad.flatMap(({ order }) => order ?? [])];
    const products = await writer.lockProducts(distinct(claimed.map(({ productId }) => productId)));
    const existing = await writer.existingOrders(distinct(orders.map(({ orderId }) => orderId)));
    const users = await writer.knownUsers(distinct(orders.map(({ userId }) => userId)));
    const bought = await writer.bought(orders.filter(({ orderId }) => !existing.has(orderId)));
    const decisions = decide({ orders, products, users, existing, bought });
    const before =
      existing.size > 0 || bad.length > 0 ? await writer.parkedBefore(messages) : new Map<string, string>();
    const letters = [...bad, ...suspicious(readable, decisions, before)];
    const at = now();
    await writer.write(decisions, at);
    const named = await writer.park(letters, at);
    return { decisions, letters, named };
  }

  /** Housekeeping may be lost: the reconciler finishes it. It must never hold up the log. */
  async function housekeep(ended: readonly SettledReservation[]): Promise<void> {
    try {
      await stock.settle(ended);
    } catch (error) {
      log.warn({ err: error, orders: ended.length }, "reservations not ended; the reconciler will");
    }
  }

  /** Not awaited: whoever follows an order finds out without it. */
  function tell(ended: readonly SettledReservation[]): void {
    if (ended.length === 0) return;
    news.tell(ended.map(({ order }) => order.orderId)).catch((error: unknown) => {
      log.debug({ err: error }, "decisions not told");
    });
  }

  async function parkRefused(message: RawMessage, error: unknown): Promise<void> {
    const reason = error instanceof Error ? error.message : "refused";
    const parsed = parseOrderMessage(textOf(message));
    const order = parsed.ok ? parsed.order : parsed.named;
    const letter: DeadLetter = {
      message,
      error: `the database refuses it: ${reason}`,
      ...(order && { order }),
    };
    await decideBatch({ messages: [message], readable: [], bad: [letter] });
  }

  function report(
    { readable }: Parsed,
    decisions: readonly Decision[],
    letters: readonly DeadLetter[],
  ): void {
    const told = tellsEach ? decisions : decisions.filter(({ outcome }) => outcome === "FAILED");
    const messages = new Map(told.length === 0 ? [] : readable.map(({ raw, order }) => [order, raw]));
    for (const decision of told) {
      const { outcome, order } = decision;
      const fields = { orderId: order.orderId, ...traceOf(messages.get(order)) };
      if (outcome === "FAILED") log.warn({ ...fields, reason: decision.reason }, "order failed");
      else log.debug({ ...fields, outcome }, "order decided");
    }
    for (const { message, error, order, decidedOrderId } of letters) {
      const { partition, offset } = message;
      const orderId = order?.orderId ?? decidedOrderId;
      log.error({ partition, offset, orderId, ...traceOf(message), reason: error }, "message parked");
    }
  }
}

function traceOf(message: RawMessage | undefined): { traceId?: string } {
  const traceId = message?.traceparent && traceIdIn(message.traceparent);
  return traceId ? { traceId } : {};
}

function backOffWithJitter(attempt: number): Promise<void> {
  return delay(Math.min(BACK_OFF_FIRST_MS * 2 ** attempt, BACK_OFF_MAX_MS) * (0.5 + Math.random() / 2));
}

function parse(messages: readonly RawMessage[]): Parsed {
  const readable: Readable[] = [];
  const bad: DeadLetter[] = [];
  for (const raw of messages) {
    const result = parseOrderMessage(textOf(raw));
    if (result.ok) readable.push({ raw, order: result.order });
    else bad.push({ message: raw, error: result.error, ...(result.named && { order: result.named }) });
  }
  return { messages, readable, bad };
}

/** A value above the limit reads as no JSON: it is parked, whatever it says. */
function textOf({ value }: RawMessage): string | null {
  if (value === null) return null;
  return value.length > MESSAGE_BYTES_MAX ? "(too long)" : Buffer.from(value).toString("utf8");
}

function suspicious(
  readable: readonly Readable[],
  decisions: readonly Decision[],
  before: ReadonlyMap<string, string>,
): DeadLetter[] {
  const errors = new Map<OrderMessage, string>();
  for (const decision of decisions) {
    if (decision.outcome === "CONFLICT")
      errors.set(decision.order, "this order id came before with other facts");
    if (decision.outcome === "FAILED" && SUSPICIOUS.has(decision.reason))
      errors.set(decision.order, decision.reason);
  }
  return readable.flatMap(({ raw, order }) => {
    // Parked in an earlier attempt that did not reach the dead-letter topic, perhaps: it goes there again.
    const error = errors.get(order) ?? before.get(placeOf(raw));
    return error === undefined ? [] : [{ message: raw, error, decidedOrderId: order.orderId }];
  });
}

function endedReservation(decision: Decision): SettledReservation[] {
  switch (decision.outcome) {
    case "SUCCESS":
    case "FAILED":
      return [{ order: decision.order, as: decision.outcome }];
    case "DUPLICATE":
      return [{ order: decision.order, as: decision.as }];
    case "CONFLICT":
      // Whose reservation this is can only be told by comparing it with the row: the reconciler does.
      return [];
  }
}

/** As the row says: a broken copy of an order that is settled must not give its units back. */
function endedByName(
  { order }: DeadLetter,
  named: ReadonlyMap<string, "SUCCESS" | "FAILED">,
): SettledReservation[] {
  const as = order && named.get(order.orderId);
  return order && as ? [{ order, as }] : [];
}

const distinct = <T>(values: readonly T[]): T[] => [...new Set(values)];
