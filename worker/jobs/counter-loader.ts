import type { BacklogWatch, Ledger, Log, StockEpochs, StockStore } from "../../shared/domain/ports.ts";
import type { Product } from "../../shared/domain/product.ts";
import { endDecided } from "../../shared/domain/reconcile.ts";
import type { ActiveProducts } from "./active-products.ts";
import type { Job } from "./every.ts";

const LOAD_EVERY_MS = 1_000;
/** A note not looked at for so many runs may be of an earlier loss: another worker may have loaded since. */
const NOTE_STALE_MS = 15 * LOAD_EVERY_MS;

export interface CounterLoaderDependencies {
  readonly products: ActiveProducts;
  readonly stock: Pick<StockStore, "confirm" | "counters" | "load" | "reservations" | "settle">;
  readonly ledger: Ledger;
  readonly epochs: StockEpochs;
  readonly backlog: BacklogWatch;
  /** How long an order that was reserved before the counters went missing may still be on its way to the log. */
  readonly produceSettledMs: number;
  readonly log: Log;
  readonly observe: (result: "rolled_back" | "loaded") => void;
  /** A clock that only goes forward, ms. */
  readonly monotonicNow: () => number;
}

interface Waiting {
  readonly seenAt: number;
  readonly missingSince: number;
  /** Ends of the log once everything on its way had arrived. */
  readonly ends?: ReadonlyMap<number, bigint>;
}

/**
 * Gives a product its counters when they are missing: never loaded (the API died after its INSERT), or lost. Counters from
 * before what is known (Redis was put back to an older state) are as good as lost, and shut first. The
 * database knows what was decided, the log what was not yet: so it waits until what was on its way is in the log, and
 * until the log is decided up to there. Then stock − sold is what is left. Until then the API answers not_ready.
 */
export function createCounterLoader(dependencies: CounterLoaderDependencies): Job {
  const { products, stock, ledger, epochs, backlog, produceSettledMs, log, observe, monotonicNow } =
    dependencies;
  const waiting = new Map<number, Waiting>();
  return { name: "counter-loader", everyMs: LOAD_EVERY_MS, lockMs: 5_000, run };

  async function run(): Promise<void> {
    const active = await products();
    const ids = active.map(({ id }) => id);
    // In this order: an epoch is in Redis before it is noted, so what is noted by now must be there.
    const known = await epochs.known(ids);
    const counters = await stock.counters(ids);
    for (const product of active) {
      const { id } = product;
      const epoch = counters.get(id)?.epoch;
      const missing = epoch === undefined || (await isOld(id, epoch, known.get(id) ?? 0));
      if (missing) await advance(product);
      else waiting.delete(id);
    }
  }

  async function isOld(productId: number, epoch: number, known: number): Promise<boolean> {
    if (epoch >= known) return false;
    // Looks once more, and deletes in the same step: somebody may have loaded them in between.
    const { outcome } = await stock.confirm(productId, known);
    if (outcome !== "rolled_back") return outcome === "not_loaded";
    log.error(
      { productId, epoch, known },
      "Redis has gone back in time; the sale is shut until it is rebuilt",
    );
    observe("rolled_back");
    return true;
  }

  async function advance({ id }: Product): Promise<void> {
    const now = monotonicNow();
    const noted = waiting.get(id);
    const fresh = noted && now - noted.seenAt <= NOTE_STALE_MS;
    const state: Waiting = fresh ? { ...noted, seenAt: now } : { seenAt: now, missingSince: now };
    waiting.set(id, state);
    if (!state.ends) {
      if (now - state.missingSince < produceSettledMs) return;
      waiting.set(id, { ...state, ends: await backlog.endOffsets() });
      return;
    }
    if (!(await backlog.hasReached(state.ends))) return;
    // Under the product's lock: what is sold, and which reservations are decided, stands still until it is loaded.
    await ledger.whileLocked(id, async (product) => {
      await endDecided({ productId: id, stock, ledger });
      const epoch = ((await epochs.known([id])).get(id) ?? 0) + 1;
      // Noted first: a load that is executed late, after the next try has begun, is then older than what is known.
      await epochs.note(new Map([[id, epoch]]));
      const result = await stock.load({ product, bought: ledger.boughtByProduct(id), epoch });
      log.info({ productId: id, left: product.stock - product.sold, result }, "counters loaded");
    });
    observe("loaded");
    waiting.delete(id);
  }
}
