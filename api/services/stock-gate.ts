import type { Log, StockEpochs, StockStore } from "../../shared/domain/ports.ts";

/** Well within the time that one confirmation vouches for (CONFIRMED_FOR_MS), so that buyers seldom wait for one. */
const CONFIRM_EVERY_MS = 400;
/** The database is asked for this long; then this process' own memory must do, for intake outlives a database's outage. */
const KNOWN_TIMEOUT_MS = 300;
/** Products remembered by this process. */
const REMEMBERED_MAX = 10_000;

export interface StockGateDependencies {
  readonly stock: Pick<StockStore, "reserve" | "confirm">;
  readonly epochs: StockEpochs;
  readonly log: Log;
  readonly observe: (event: "rolled_back") => void;
}

export type StockGate = ReturnType<typeof createStockGate>;

/**
 * Stands before the counters: units are taken only from counters that somebody has lately compared with what the database
 * remembers of them. A Redis that was put back to an older state (an old file, a stale replica) comes with counters that
 * nobody vouches for any more, and whose epoch is below the one noted: the sale is shut before the first unit is taken.
 */
export function createStockGate({ stock, epochs, log, observe }: StockGateDependencies) {
  /** Highest epoch this process has seen, by product; the oldest forgotten first. */
  const seen = new Map<number, number>();
  /** Products with orders since the last round. */
  const busy = new Set<number>();
  let running: Promise<void> = Promise.resolve();
  let timer: NodeJS.Timeout | undefined;
  let asking: { readonly ids: Set<number>; readonly done: Promise<void> } | undefined;

  return {
    reserve,
    round,
    start(): void {
      timer = setInterval(() => {
        running = round();
      }, CONFIRM_EVERY_MS);
    },
    async stop(): Promise<void> {
      clearInterval(timer);
      await running;
    },
  };

  /** Confirms the products ordered from since the last round, before their buyers have to wait for it. */
  async function round(): Promise<void> {
    const ids = [...busy];
    busy.clear();
    if (ids.length > 0) await confirmAll(ids);
  }

  async function reserve(input: Parameters<StockStore["reserve"]>[0]): ReturnType<StockStore["reserve"]> {
    busy.add(input.productId);
    const first = await stock.reserve(input);
    if (first.outcome !== "unconfirmed") return first;
    await confirmed(input.productId);
    return await stock.reserve(input);
  }

  /** All who wait in one turn of the event loop ask together, once for each product. */
  function confirmed(productId: number): Promise<void> {
    if (!asking) {
      const ids = new Set<number>();
      const done = new Promise<void>((resolve) => {
        setImmediate(() => {
          asking = undefined;
          resolve(confirmAll([...ids]));
        });
      });
      asking = { ids, done };
    }
    asking.ids.add(productId);
    return asking.done;
  }

  /** Never rejects: what could not be confirmed stays unconfirmed, and takes no orders. */
  async function confirmAll(ids: readonly number[]): Promise<void> {
    try {
      // Before Redis is read: an epoch is in Redis before it is noted, so what is noted by now must be there.
      const noted = await knownSoon(ids);
      const news = new Map<number, number>();
      await Promise.all(
        ids.map(async (id) => {
          const epoch = await confirmOne(id, Math.max(noted.get(id) ?? 0, seen.get(id) ?? 0));
          if (epoch !== undefined) news.set(id, epoch);
        }),
      );
      // Not awaited: this process remembers, and the next round notes a later one.
      epochs.note(news).catch((error: unknown) => {
        log.debug({ err: error }, "epochs not noted");
      });
    } catch (error) {
      log.debug({ err: error, productIds: ids }, "counters not confirmed");
    }
  }

  async function confirmOne(productId: number, known: number): Promise<number | undefined> {
    const result = await stock.confirm(productId, known);
    if (result.outcome === "confirmed") {
      remember(productId, result.epoch);
      return result.epoch;
    }
    if (result.outcome === "rolled_back") {
      log.error(
        { productId, epoch: result.epoch, known },
        "Redis has gone back in time; the sale is shut until its counters are rebuilt",
      );
      observe("rolled_back");
    }
    return undefined;
  }

  async function knownSoon(ids: readonly number[]): Promise<ReadonlyMap<number, number>> {
    let timeout: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timeout = setTimeout(() => {
        reject(new Error("the database did not tell the epochs in time"));
      }, KNOWN_TIMEOUT_MS);
    });
    try {
      return await Promise.race([epochs.known(ids), late]);
    } catch (error) {
      log.debug({ err: error }, "epochs not read; going by this process' own memory");
      return new Map();
    } finally {
      clearTimeout(timeout);
    }
  }

  function remember(productId: number, epoch: number): void {
    const highest = Math.max(epoch, seen.get(productId) ?? 0);
    seen.delete(productId);
    seen.set(productId, highest);
    const oldest = seen.keys().next();
    if (seen.size > REMEMBERED_MAX && !oldest.done) seen.delete(oldest.value);
  }
}
