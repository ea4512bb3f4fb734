import { setTimeout as delay } from "node:timers/promises";
import type { Call, History } from "./history.ts";
import { inParallel, type HttpClient } from "./http-client.ts";
import type { Person } from "./seed.ts";

const AT_ONCE = 128;
/** What a client does about these is to ask again. */
const PASSING = new Set([
  "order_in_progress",
  "not_ready",
  "outcome_unknown",
  "no answer",
  "refused connection",
]);
const ASK_AGAIN_MS = 100;
const TRIES_MAX = 600;

export interface Rush {
  readonly http: HttpClient;
  readonly history: History;
  readonly productId: number;
  readonly buyers: readonly Person[];
  /** Identical requests of each buyer, sent at the same moment. */
  readonly copies?: number;
  /** The buyer's Idempotency-Key; without it the requests carry none. */
  readonly keyOf?: (buyer: Person) => string;
  /** Ask again, with the same key, until there is an answer that lasts. */
  readonly persist?: boolean;
  readonly atOnce?: number;
  /** Orders in a second, over all buyers; without it as fast as they go. */
  readonly perSecond?: number;
}

/** Every buyer orders one unit, as many at once as the connections allow. */
export async function rush(options: Rush): Promise<void> {
  const { buyers, copies = 1, atOnce = Math.ceil(AT_ONCE / copies), perSecond } = options;
  const startedAt = performance.now();
  await inParallel(buyers, atOnce, async (buyer, i) => {
    if (perSecond !== undefined) await delay(startedAt + (i * 1_000) / perSecond - performance.now());
    await Promise.all(Array.from({ length: copies }, () => buy(options, buyer)));
  });
}

async function buy({ http, history, productId, keyOf, persist }: Rush, buyer: Person): Promise<Call> {
  const ask = {
    token: buyer.token,
    body: { productId },
    ...(keyOf && { headers: { "Idempotency-Key": keyOf(buyer) } }),
  };
  for (let tries = 1; ; tries += 1) {
    const call = await history.record(buyer.id, productId, http.send("POST", "/api/orders", ask));
    if (!persist || !PASSING.has(call.code) || tries === TRIES_MAX) return call;
    await delay(ASK_AGAIN_MS);
  }
}
