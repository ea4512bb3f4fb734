import { setMaxListeners } from "node:events";
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
const ASK_AGAIN_MAX_MS = 4_000;
const TRIES_MAX = 600;

export interface Rush {
  /** Who answers; several are asked in turn. */
  readonly http: HttpClient | readonly HttpClient[];
  readonly history: History;
  readonly productId: number;
  readonly buyers: readonly Person[];
  /** Identical requests of each buyer, sent at the same moment. */
  readonly copies?: number;
  /** The buyer's Idempotency-Key; without it the requests carry none. */
  readonly keyOf?: (buyer: Person) => string | undefined;
  readonly quantityOf?: (buyer: Person) => number;
  /** Ask again, with the same key, until there is an answer that lasts. */
  readonly persist?: boolean | ((buyer: Person) => boolean);
  readonly askAgainMs?: number;
  readonly atOnce?: number;
  /** Orders in a second, over all buyers; without it as fast as they go. */
  readonly perSecond?: number;
  /** Once it is aborted nobody begins, or asks again. */
  readonly signal?: AbortSignal;
}

/** Every buyer places one order, as many at once as the connections allow. */
export async function rush(options: Rush): Promise<void> {
  const { buyers, copies = 1, atOnce = Math.ceil(AT_ONCE / copies), perSecond, signal } = options;
  if (signal) setMaxListeners(buyers.length, signal); // all of them may be waiting at once
  const startedAt = performance.now();
  await inParallel(buyers, atOnce, async (buyer, i) => {
    if (signal?.aborted) return;
    if (perSecond !== undefined) await pause(startedAt + (i * 1_000) / perSecond - performance.now(), signal);
    if (signal?.aborted) return;
    await Promise.all(Array.from({ length: copies }, (_, copy) => buy(options, buyer, i + copy)));
  });
}

async function buy(options: Rush, buyer: Person, turn: number): Promise<Call> {
  const { http, history, productId, keyOf, quantityOf, persist, askAgainMs = ASK_AGAIN_MS, signal } = options;
  const servers = Array.isArray(http) ? (http as readonly HttpClient[]) : [http as HttpClient];
  const key = keyOf?.(buyer);
  const quantity = quantityOf?.(buyer) ?? 1;
  const ask = {
    token: buyer.token,
    body: { productId, ...(quantityOf && { quantity }) },
    ...(key !== undefined && { headers: { "Idempotency-Key": key } }),
  };
  const persists = typeof persist === "function" ? persist(buyer) : persist;
  for (let tries = 0; ; tries += 1) {
    const server = servers[(turn + tries) % servers.length]!;
    const asked = { quantity, ...(key !== undefined && { key }) };
    const call = await history.record(buyer.id, productId, server.send("POST", "/api/orders", ask), asked);
    if (!persists || !PASSING.has(call.code) || tries + 1 >= TRIES_MAX || signal?.aborted) return call;
    // Twice as long each time: a crowd that asks four times a second keeps down what tries to come up.
    await pause(Math.min(askAgainMs * 2 ** tries, ASK_AGAIN_MAX_MS), signal);
  }
}

async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  await delay(ms, undefined, signal && { signal }).catch(() => undefined);
}
