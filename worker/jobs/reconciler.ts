import type { Log } from "../../shared/domain/ports.ts";
import type { Product } from "../../shared/domain/product.ts";
import { endDecided, reconcileProduct, type ReconcileDependencies } from "../../shared/domain/reconcile.ts";
import type { ActiveProducts } from "./active-products.ts";
import type { Job } from "./every.ts";

const RECONCILE_EVERY_MS = 5_000;
/** Steps of the walk over one product's reservations in one run; the rest is the next run's. */
const STEPS_PER_RUN_MAX = 200;
/** With more units in reservations the product is not locked for a comparison: the worker needs it more. */
const HELD_COMPARED_MAX = 20_000;

export interface ReconcilerDependencies extends ReconcileDependencies {
  readonly products: ActiveProducts;
  readonly log: Log;
  readonly observe: (repair: Repair) => void;
}

export type Repair = "ended" | "given_back" | "end_moved" | "shut";

/**
 * Ends reservations whose order is decided (the worker died, or Redis was away, between COMMIT and housekeeping), and
 * mends counters that do not say what the database says.
 */
export function createReconciler(dependencies: ReconcilerDependencies): Job {
  const { products, stock, ledger, log, observe } = dependencies;
  /** Where the next run's walk over a product goes on. */
  const cursors = new Map<number, string>();
  /** Products that did not add up in the run before: while orders are being decided many do not, for an instant. */
  let suspected: ReadonlySet<number> = new Set();
  return { name: "reconciler", everyMs: RECONCILE_EVERY_MS, lockMs: 5_000, run };

  async function run(): Promise<void> {
    const active = await products();
    const counters = await stock.counters(active.map(({ id }) => id));
    const odd = new Set<number>();
    for (const product of active) {
      const now = counters.get(product.id);
      if (now === undefined) continue;
      if (now.held > 0) await walk(product);
      const adds = now.left + now.held === product.stock - product.sold;
      if ((adds && now.endTime === product.endTime) || now.held > HELD_COMPARED_MAX) continue;
      odd.add(product.id);
      if (suspected.has(product.id)) await compare(product);
    }
    suspected = odd;
    for (const id of cursors.keys()) if (!counters.has(id)) cursors.delete(id);
  }

  async function walk({ id }: Product): Promise<void> {
    const { ended, cursor } = await endDecided(
      { productId: id, stock, ledger },
      cursors.get(id),
      STEPS_PER_RUN_MAX,
    );
    cursors.set(id, cursor);
    if (ended > 0) {
      log.info({ productId: id, ended }, "reservations of decided orders ended");
      observe("ended");
    }
  }

  async function compare({ id }: Product): Promise<void> {
    const result = await reconcileProduct({ stock, ledger }, id);
    if (result === null) return;
    if (result.unitsGivenBack > 0) {
      log.error(result, "units were missing from the counters; given back");
      observe("given_back");
    }
    if (result.endMoved) {
      log.warn(result, "the counters had another end than the sale; it is the sale's again");
      observe("end_moved");
    }
    if (result.state === "shut") {
      log.error(result, "Redis had forgotten orders; the sale is shut until its counters are rebuilt");
      observe("shut");
    }
  }
}
