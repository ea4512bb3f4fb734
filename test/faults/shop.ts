import { createHistory } from "../support/history.ts";
import type { HttpClient } from "../support/http-client.ts";
import { rush } from "../support/rush.ts";
import type { Person } from "../support/seed.ts";
import { until } from "../support/until.ts";
import type { Random } from "./random.ts";

/** How buyers behave, in parts of one. */
const KEYED = 0.6;
const PERSISTENT = 0.5;
const QUANTITY_MAX = 2;
/** What Retry-After asks for. */
const ASK_AGAIN_MS = 1_000;
const AT_ONCE = 64;
const HEARD_DEADLINE_MS = 60_000;

export interface ShopOptions {
  readonly clients: readonly HttpClient[];
  readonly productId: number;
  readonly random: Random;
}

export interface Wanted {
  readonly buyers: readonly Person[];
  /** Orders begun in a second, however slow the answers are; without it as fast as they go. */
  readonly perSecond?: number;
  /** The part of the buyers that asks again until there is an answer that lasts; half of them when not said. */
  readonly persistent?: number;
  /** The part of the buyers that sends an Idempotency-Key. */
  readonly keyed?: number;
  readonly copies?: number;
}

interface Way {
  readonly key: string | undefined;
  readonly persists: boolean;
  readonly quantity: number;
}

export type Shop = ReturnType<typeof createShop>;

/** Buyers of the one sale of a world. Each places one order; what each of them does is fixed by the seed. */
export function createShop({ clients, productId, random }: ShopOptions) {
  const history = createHistory();
  const ways = new Map<number, Way>();
  return {
    history,
    begin,
    /** Waits until so many 202s were heard in all. */
    accepted: (count: number, deadlineMs = HEARD_DEADLINE_MS) =>
      until(`${count} orders are accepted`, () => history.accepted() >= count, deadlineMs),
    answered: (count: number, deadlineMs = HEARD_DEADLINE_MS) =>
      until(`${count} calls are answered`, () => history.calls.length >= count, deadlineMs),
  };

  /** Buyers come from now on; `done` resolves when the last has their answer, `stop` sends away those who still wait. */
  function begin(wanted: Wanted): { done: Promise<void>; stop: () => Promise<void> } {
    const { buyers, perSecond, copies, persistent = PERSISTENT, keyed = KEYED } = wanted;
    // Who has come before behaves as before: the same key, the same order.
    for (const { id } of buyers)
      if (!ways.has(id))
        ways.set(id, {
          key: random.chance(keyed) ? `faults-${productId}-buyer-${id}` : undefined,
          persists: random.chance(persistent),
          quantity: random.between(1, QUANTITY_MAX),
        });
    const leaving = new AbortController();
    const done = rush({
      ...{ http: clients, history, productId, buyers, askAgainMs: ASK_AGAIN_MS, signal: leaving.signal },
      // At a set rate nobody waits for those before them.
      atOnce: perSecond === undefined ? Math.ceil(AT_ONCE / (copies ?? 1)) : buyers.length,
      keyOf: ({ id }) => ways.get(id)?.key,
      persist: ({ id }) => ways.get(id)?.persists ?? false,
      quantityOf: ({ id }) => ways.get(id)?.quantity ?? 1,
      ...(perSecond !== undefined && { perSecond }),
      ...(copies !== undefined && { copies }),
    });
    const stop = async (): Promise<void> => {
      leaving.abort();
      await done;
    };
    return { done, stop };
  }
}
