import type {
  DecisionStore,
  Log,
  Reserved,
  SettledReservation,
  StockStore,
} from "../../shared/domain/ports.ts";
import type { ActiveProducts } from "./active-products.ts";
import type { Job } from "./every.ts";

const RECONCILE_EVERY_MS = 5_000;
/** Steps of the walk over one product's reservations in one run; the rest is the next run's. */
const STEPS_PER_RUN_MAX = 200;

export interface ReconcilerDependencies {
  readonly products: ActiveProducts;
  readonly stock: Pick<StockStore, "reservations" | "settle">;
  readonly store: Pick<DecisionStore, "outcomes">;
  readonly log: Log;
}

/** Ends reservations whose order is decided: the worker died, or Redis was away, between COMMIT and housekeeping. */
export function createReconciler({ products, stock, store, log }: ReconcilerDependencies): Job {
  return { name: "reconciler", everyMs: RECONCILE_EVERY_MS, lockMs: 30_000, run };

  async function run(): Promise<void> {
    for (const { id } of await products()) {
      const ended = await settleDecided({ productId: id, stock, store });
      if (ended > 0) log.info({ productId: id, ended }, "reservations of decided orders ended");
    }
  }
}

/** @returns how many reservations of this product belonged to decided orders */
export async function settleDecided({
  productId,
  stock,
  store,
}: { productId: number } & Pick<ReconcilerDependencies, "stock" | "store">): Promise<number> {
  let ended = 0;
  let cursor = "0";
  for (let step = 0; step < STEPS_PER_RUN_MAX; step += 1) {
    const walked = await stock.reservations(productId, cursor);
    const decided = await decidedOf(walked.reserved);
    if (decided.length > 0) await stock.settle(decided);
    ended += decided.length;
    cursor = walked.cursor;
    if (cursor === "0") break;
  }
  return ended;

  async function decidedOf(reserved: readonly Reserved[]): Promise<SettledReservation[]> {
    const outcomes = await store.outcomes(reserved.map(({ order }) => order.orderId));
    return reserved.flatMap(({ order }) => {
      const as = outcomes.get(order.orderId);
      return as ? [{ order, as }] : [];
    });
  }
}
