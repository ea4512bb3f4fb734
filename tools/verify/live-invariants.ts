import type { BacklogWatch, StockStore } from "../../shared/domain/ports.ts";
import type { Product } from "../../shared/domain/product.ts";
import { ROWS_SHOWN_MAX, type Finding } from "./database-invariants.ts";

/** Older than any sweep: an order that is still not in the log by then is stuck. */
const UNPUBLISHED_OLDER_THAN_MS = 30_000;

export interface LiveDependencies {
  readonly stock: Pick<StockStore, "left" | "reservations" | "unpublished">;
  readonly backlog: Pick<BacklogWatch, "lag">;
  readonly products: () => Promise<readonly Product[]>;
}

/** What is still under way: orders in the log that are not decided, and reservations that are not ended. */
export async function underWay({ stock, backlog, products }: LiveDependencies) {
  const lag = await backlog.lag();
  let reservations = 0;
  for (const { id } of await products()) {
    let cursor = "0";
    do {
      const walked = await stock.reservations(id, cursor);
      reservations += walked.reserved.length;
      cursor = walked.cursor;
    } while (cursor !== "0");
  }
  return { lag, reservations };
}

/** Invariants between Redis, Kafka and the database; exact when nothing is under way. */
export async function* liveFindings(dependencies: LiveDependencies): AsyncGenerator<Finding> {
  const { stock, products } = dependencies;
  const all = await products();
  const left = await stock.left(all.map(({ id }) => id));
  const { lag, reservations } = await underWay(dependencies);
  yield {
    invariant: "I3",
    rule: "per product, drained: stock − left in Redis = units of SUCCESS orders, and no reservation is left",
    rows: [
      ...all.flatMap(({ id, stock: units, sold }) => {
        const now = left.get(id);
        return now === undefined || now === units - sold
          ? []
          : [{ productId: id, stock: units, sold, left: now }];
      }),
      ...(reservations > 0 ? [{ reservations }] : []),
    ].slice(0, ROWS_SHOWN_MAX),
  };
  const stuck: object[] = [];
  for (const { id } of all) {
    for (const { order } of await stock.unpublished(id, UNPUBLISHED_OLDER_THAN_MS, ROWS_SHOWN_MAX))
      stuck.push(order);
  }
  yield {
    invariant: "I4",
    rule: "no order waits for the log for more than 30 s",
    rows: stuck.slice(0, ROWS_SHOWN_MAX),
  };
  yield {
    invariant: "I11",
    rule: "the worker group has decided everything in the log",
    rows: lag === 0n ? [] : [{ lag: String(lag) }],
  };
}
