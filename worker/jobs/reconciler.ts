import type {
  DecisionStore,
  Log,
  Reserved,
  SettledReservation,
  StockStore,
} from "../../shared/domain/ports.ts";
import { samePayload } from "../../shared/domain/order.ts";
import type { ActiveProducts } from "./active-products.ts";
import type { Job } from "./every.ts";

const RECONCILE_EVERY_MS = 5_000;
/** Steps of the walk over one product's reservations in one run; the rest is the next run's. */
const STEPS_PER_RUN_MAX = 200;
/** Steps of a walk that has to see all: more reservations than the largest stock. */
const STEPS_OF_ALL_MAX = 100_000;

export interface ReconcilerDependencies {
  readonly products: ActiveProducts;
  readonly stock: Pick<StockStore, "reservations" | "settle">;
  readonly store: Pick<DecisionStore, "decided">;
  readonly log: Log;
}

/** Ends reservations whose order is decided: the worker died, or Redis was away, between COMMIT and housekeeping. */
export function createReconciler({ products, stock, store, log }: ReconcilerDependencies): Job {
  /** Where the next run's walk over a product goes on. */
  const cursors = new Map<number, string>();
  return { name: "reconciler", everyMs: RECONCILE_EVERY_MS, lockMs: 5_000, run };

  async function run(): Promise<void> {
    for (const { id } of await products()) {
      const from = cursors.get(id) ?? "0";
      const { ended, cursor } = await walk({ productId: id, stock, store }, from, STEPS_PER_RUN_MAX);
      cursors.set(id, cursor);
      if (ended > 0) log.info({ productId: id, ended }, "reservations of decided orders ended");
    }
  }
}

type Walk = { readonly productId: number } & Pick<ReconcilerDependencies, "stock" | "store">;

/** All of one product's: afterwards no reservation is left whose order was decided when this began. */
export async function settleDecided(over: Walk): Promise<void> {
  await walk(over, "0", STEPS_OF_ALL_MAX);
}

async function walk({ productId, stock, store }: Walk, from: string, stepsMax: number) {
  let ended = 0;
  let cursor = from;
  for (let step = 0; step < stepsMax; step += 1) {
    const walked = await stock.reservations(productId, cursor);
    const decided = await decidedOf(walked.reserved);
    if (decided.length > 0) await stock.settle(decided);
    ended += decided.length;
    cursor = walked.cursor;
    if (cursor === "0") break;
  }
  return { ended, cursor };

  async function decidedOf(reserved: readonly Reserved[]): Promise<SettledReservation[]> {
    const rows = await store.decided(reserved.map(({ order }) => order.orderId));
    return reserved.flatMap(({ order }) => {
      const row = rows.get(order.orderId);
      if (!row) return [];
      // Another order's units under the same id (a key came back after its claim was lost): nobody bought them.
      return [{ order, as: samePayload(row, order) ? row.status : "FAILED" }];
    });
  }
}
