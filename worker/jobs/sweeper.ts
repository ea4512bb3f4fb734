import type { Log, OrderEvents, StockStore } from "../../shared/domain/ports.ts";
import type { ActiveProducts } from "./active-products.ts";
import type { Job } from "./every.ts";

const SWEEP_EVERY_MS = 1_000;
/** Older than any produce that is still being waited for. */
const UNPUBLISHED_OLDER_THAN_MS = 5_000;
/** Orders of one product handed over in one run. */
const ORDERS_PER_RUN_MAX = 500;

export interface SweeperDependencies {
  readonly products: ActiveProducts;
  readonly stock: Pick<StockStore, "unpublished">;
  readonly events: OrderEvents;
  readonly log: Log;
  readonly observe: (orders: number) => void;
}

/**
 * Hands over again what may not have reached the log: the API died between reserve and produce, or never heard the
 * acknowledgement. The same message, the same order id: the worker removes the second copy.
 */
export function createSweeper({ products, stock, events, log, observe }: SweeperDependencies): Job {
  return { name: "sweeper", everyMs: SWEEP_EVERY_MS, lockMs: 3_000, run };

  async function run(): Promise<void> {
    if (!events.accepting()) return;
    for (const { id } of await products()) {
      const orphans = await stock.unpublished(id, UNPUBLISHED_OLDER_THAN_MS, ORDERS_PER_RUN_MAX);
      if (orphans.length === 0) continue;
      // The publisher itself takes acknowledged orders off the list.
      const results = await Promise.allSettled(
        orphans.map(({ order, value }) => events.publish(order, value)),
      );
      const failed = results.filter(({ status }) => status === "rejected").length;
      const orderIds = orphans.map(({ order }) => order.orderId);
      log.info({ productId: id, orderIds, failed }, "orders handed over again");
      observe(orphans.length - failed);
    }
  }
}
