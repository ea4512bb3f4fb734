import { traced } from "../shared/domain/trace-context.ts";
import type { RawMessage, Span, Tracing } from "../shared/domain/ports.ts";
import { TOPICS } from "../shared/kafka/topics.ts";

/** What OpenTelemetry keeps of a span's links. */
const LINKS_MAX = 128;
const MESSAGING = {
  "messaging.system": "kafka",
  "messaging.destination.name": TOPICS.orders,
  "messaging.operation.type": "process",
};
const DATABASE = { "db.system.name": "mysql", "db.operation.name": "transaction" };

/** Runs the batch's transaction, which all orders share. */
export type InTransaction = <T>(work: () => Promise<T>) => Promise<T>;

/**
 * Tells a batch twice: as a span of its own with links to its orders, and in each order's trace as one that continues it,
 * so that a trace goes from the buyer's request to the transaction.
 */
export async function traceBatch<T>(
  tracing: Tracing,
  messages: readonly RawMessage[],
  decide: (inTransaction: InTransaction) => Promise<T>,
): Promise<T> {
  const parents = messages.flatMap(({ traceparent }) => traceparent ?? []);
  const attributes = { ...MESSAGING, "messaging.batch.message_count": messages.length };
  const links = parents.slice(0, LINKS_MAX);
  const name = `process batch ${TOPICS.orders}`;
  return traced(tracing, name, { kind: "consumer", links, attributes, parent: undefined }, (batch) => {
    const orders = parents.map((parent) =>
      tracing.start(`process ${TOPICS.orders}`, {
        kind: "consumer",
        parent,
        links: linkTo(batch),
        attributes,
      }),
    );
    return ending(
      orders,
      decide((work) => {
        const transactions = [batch, ...orders.map(({ traceparent }) => traceparent)].map((parent, i) =>
          tracing.start("transaction", {
            kind: "client",
            parent,
            attributes: DATABASE,
            links: i === 0 ? [] : linkTo(batch),
          }),
        );
        return ending(transactions, work());
      }),
    );
  });
}

const linkTo = (traceparent: string | undefined): readonly string[] => (traceparent ? [traceparent] : []);

async function ending<T>(spans: readonly Span[], work: Promise<T>): Promise<T> {
  try {
    const result = await work;
    for (const span of spans) span.end();
    return result;
  } catch (error) {
    for (const span of spans) span.end({ error });
    throw error;
  }
}
