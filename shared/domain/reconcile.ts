import { DomainError } from "./errors.ts";
import { samePayload } from "./order.ts";
import type { Ledger, Reserved, SettledReservation, StockStore } from "./ports.ts";

/** Steps of a walk that has to see all: more reservations than the largest stock. */
const STEPS_OF_ALL_MAX = 100_000;
/** A confirmation between look and act moves the counters' epoch; there are a few in a second. */
const LOOKS_MAX = 5;

export interface ReconcileDependencies {
  readonly stock: Pick<StockStore, "counters" | "mend" | "reservations" | "settle" | "shut">;
  readonly ledger: Pick<Ledger, "decided" | "whileLocked">;
}

export interface Reconciliation {
  readonly productId: number;
  /** Reservations ended because their order is decided. */
  readonly ended: number;
  /** Units given back that nobody held and nobody had bought. */
  readonly unitsGivenBack: number;
  /** The counters had another end than the database. */
  readonly endMoved: boolean;
  /**
   * "consistent": left + held = stock − sold, before or now · "shut": Redis had forgotten orders; the sale is closed until
   * the worker has rebuilt its counters · "not_loaded": there are none, the worker is about to load them.
   */
  readonly state: "consistent" | "shut" | "not_loaded";
}

/**
 * Makes Redis say of one product what the database says (flow.md §5). Under the product's lock: what is sold, and which
 * orders are decided, stands still, so what is left and held together can only be stock − sold, whatever buyers do
 * meanwhile; and nobody is moving the sale's end. Null when there is no such product.
 */
export async function reconcileProduct(
  { stock, ledger }: ReconcileDependencies,
  productId: number,
): Promise<Reconciliation | null> {
  return await ledger.whileLocked(productId, async (product) => {
    const { ended } = await endDecided({ productId, stock, ledger });
    const nothing = { productId, ended, unitsGivenBack: 0, endMoved: false };
    for (let look = 0; look < LOOKS_MAX; look += 1) {
      const seen = (await stock.counters([productId])).get(productId);
      if (!seen) return { ...nothing, state: "not_loaded" };
      const missing = product.stock - product.sold - seen.left - seen.held;
      const endMoved = seen.endTime !== product.endTime;
      if (missing === 0 && !endMoved) return { ...nothing, state: "consistent" };
      if (missing < 0) {
        await stock.shut(productId);
        return { ...nothing, state: "shut" };
      }
      if ((await stock.mend(product, missing, seen)) === "mended")
        return { ...nothing, unitsGivenBack: missing, endMoved, state: "consistent" };
    }
    throw new DomainError("not_ready", "The counters did not stand still. Try again shortly.", {
      retryAfterS: 1,
    });
  });
}

export interface Walk {
  readonly productId: number;
  readonly stock: Pick<StockStore, "reservations" | "settle">;
  readonly ledger: Pick<Ledger, "decided">;
}

/** Ends the reservations whose orders are decided, from a cursor on; without limits, of all there are. */
export async function endDecided(
  { productId, stock, ledger }: Walk,
  from = "0",
  stepsMax = STEPS_OF_ALL_MAX,
): Promise<{ ended: number; cursor: string }> {
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
    const rows = await ledger.decided(reserved.map(({ order }) => order.orderId));
    return reserved.flatMap(({ order }) => {
      const row = rows.get(order.orderId);
      if (!row) return [];
      // Another order's units under the same id (a key came back after its claim was lost): nobody bought them.
      return [{ order, as: samePayload(row, order) ? row.status : "FAILED" }];
    });
  }
}
