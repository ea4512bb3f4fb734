import type { BacklogWatch, DecisionStore, Log, StockStore } from "../../shared/domain/ports.ts";
import type { Product } from "../../shared/domain/product.ts";
import { settleDecided } from "./reconciler.ts";
import type { ActiveProducts } from "./active-products.ts";
import type { Job } from "./every.ts";

const LOAD_EVERY_MS = 1_000;
/** A note not looked at for so many runs may be of an earlier loss: another worker may have loaded since. */
const NOTE_STALE_MS = 15 * LOAD_EVERY_MS;

export interface CounterLoaderDependencies {
  readonly products: ActiveProducts;
  readonly stock: Pick<StockStore, "left" | "load" | "reservations" | "settle">;
  readonly store: Pick<DecisionStore, "boughtByProduct" | "decided" | "whileLocked">;
  readonly backlog: BacklogWatch;
  /** How long an order that was reserved before the counters went missing may still be on its way to the log. */
  readonly produceSettledMs: number;
  readonly log: Log;
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
 * Gives a product its counters when they are missing: never loaded (the API died after its INSERT), or lost. The
 * database knows what was decided, the log what was not yet: so it waits until what was on its way is in the log, and
 * until the log is decided up to there. Then stock − sold is what is left. Until then the API answers not_ready.
 */
export function createCounterLoader(dependencies: CounterLoaderDependencies): Job {
  const { products, stock, store, backlog, produceSettledMs, log, monotonicNow } = dependencies;
  const waiting = new Map<number, Waiting>();
  return { name: "counter-loader", everyMs: LOAD_EVERY_MS, lockMs: 5_000, run };

  async function run(): Promise<void> {
    const active = await products();
    const left = await stock.left(active.map(({ id }) => id));
    for (const id of waiting.keys()) if (left.has(id)) waiting.delete(id);
    for (const product of active) if (!left.has(product.id)) await advance(product);
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
    await store.whileLocked(id, async (product) => {
      await settleDecided({ productId: id, stock, store });
      const result = await stock.load({ product, bought: store.boughtByProduct(id) });
      log.info({ productId: id, left: product.stock - product.sold, result }, "counters loaded");
    });
    waiting.delete(id);
  }
}
