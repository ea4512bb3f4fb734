import { call, Problem } from "../lib/api.ts";
import { follow } from "../lib/events.ts";
import { readSession, readStored } from "../lib/session.ts";

/** How often the same order is asked for again when there is no answer, and how far apart. */
const TRIES_MAX = 12;
const AGAIN_AFTER_MS = 500;
const AGAIN_AFTER_MAX_MS = 5_000;
const POLL_EVERY_MS = 1_000;
/** Two heartbeats of an order's stream may be missed, and some seconds be lost on the way. */
const SILENCE_MAX_MS = 35_000;
/** What says nothing yet about the order: ask again, with the same key. */
const PASSING = new Set([
  "network",
  "not_ready",
  "outcome_unknown",
  "order_in_progress",
  "too_many_requests",
]);
/** A proxy's own words: whether the API has taken the order, it does not know. */
const GATEWAY = new Set([502, 503, 504]);

export interface Order {
  readonly orderId: string;
  readonly productId: number;
  readonly status: "PENDING" | "SUCCESS" | "FAILED";
  readonly amount: number;
  readonly currency: string;
  readonly acceptedAt: string;
  readonly failReason?: string;
}

/**
 * One wish to buy, from the first click to its end. It outlives a reload, a session that is over and a log-out: its key makes
 * every request of it one order. It is the buyer's, since another buyer's same key is another order; without that buyer's
 * token it is worth nothing to whoever finds it in this tab.
 */
interface Attempt {
  readonly key: string;
  readonly orderId?: string;
}

export type Step =
  | { readonly kind: "sending" | "again" | "gave up" }
  | { readonly kind: "order"; readonly order: Order }
  | { readonly kind: "refused"; readonly problem: Problem };

const placeOf = (username: string, productId: number): string =>
  `flashpay.attempt.${username}.${String(productId)}`;
const attemptAt = (place: string): Attempt | null => readStored(place) as Attempt | null;
const running = new Set<string>();

/** How the signed-in buyer's wish for this stands: none, not known to be an order, or an order. */
export function attemptOf(productId: number): "none" | "unanswered" | "ordered" {
  const attempt = attemptAt(placeOf(readSession()?.username ?? "", productId));
  if (!attempt) return "none";
  return attempt.orderId === undefined ? "unanswered" : "ordered";
}

/** Whose wish it is, and where it is kept. */
interface Wish {
  readonly username: string;
  readonly productId: number;
  readonly place: string;
}

/**
 * Buys one unit, or goes on with the wish that was begun: after a reload, a lost connection, another log-in or a second click it
 * is the same order. Ends when the order is decided or refused, and then the next wish is a new one.
 */
export async function buy(productId: number, tell: (step: Step) => void): Promise<void> {
  const username = readSession()?.username ?? "";
  const wish = { username, productId, place: placeOf(username, productId) };
  if (running.has(wish.place)) return;
  running.add(wish.place);
  try {
    const { key, orderId } = attemptAt(wish.place) ?? { key: newKey() };
    if (orderId === undefined) keep(wish.place, { key });
    const placed = orderId ?? (await order(wish, key, tell));
    if (placed !== undefined) await untilDecided(wish, placed, tell);
  } finally {
    running.delete(wish.place);
  }
}

/** While that buyer is signed in: whoever signs in next must not order, or hear, in another's name. */
function tokenOf({ username }: Wish): string | undefined {
  const session = readSession();
  return session?.username === username ? session.token : undefined;
}

/** Asks until there is an answer that lasts; the id of the order when it is one. */
async function order(wish: Wish, key: string, tell: (step: Step) => void): Promise<string | undefined> {
  tell({ kind: "sending" });
  for (let tries = 1; tries <= TRIES_MAX; tries += 1) {
    const token = tokenOf(wish);
    if (token === undefined) return undefined;
    try {
      const taken = await call<Order>("/api/orders", {
        method: "POST",
        body: { productId: wish.productId },
        headers: { "Idempotency-Key": key },
        token,
      });
      keep(wish.place, { key, orderId: taken.orderId });
      tell({ kind: "order", order: taken });
      return taken.orderId;
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      if (!PASSING.has(error.code) && !GATEWAY.has(error.status)) {
        // An earlier try may have been taken: only the API's word on this very order ends the wish.
        if (isFinal(error)) forget(wish.place);
        tell({ kind: "refused", problem: error });
        return undefined;
      }
      tell({ kind: "again" });
      await pause(Math.min(Math.max(error.retryAfterMs, AGAIN_AFTER_MS * tries), AGAIN_AFTER_MAX_MS));
    }
  }
  tell({ kind: "gave up" });
  return undefined;
}

/** Neither of who asks (log in, then the same key) nor of a bug (the same key, later). */
const isFinal = ({ status }: Problem): boolean => status !== 401 && status < 500;

/** By the order's events, and by asking while there are none. */
async function untilDecided(wish: Wish, orderId: string, tell: (step: Step) => void): Promise<void> {
  const path = `/api/orders/${orderId}`;
  const ending = new AbortController();
  let streaming = false;
  const seen = (order: Order): void => {
    if (ending.signal.aborted) return;
    if (order.status !== "PENDING") {
      forget(wish.place);
      ending.abort();
    }
    tell({ kind: "order", order });
  };
  const lost = (problem: Problem): void => {
    if (isFinal(problem)) forget(wish.place);
    ending.abort();
    tell({ kind: "refused", problem });
  };
  const state = (there: boolean) => (streaming = there);
  const isCovered = (): boolean => streaming || ending.signal.aborted;
  const stream = { path: `${path}/events`, silenceMaxMs: SILENCE_MAX_MS };
  void follow<Order>({ ...stream, event: seen, state, refused: () => undefined }, ending.signal);
  while (!ending.signal.aborted) {
    await pause(POLL_EVERY_MS, ending.signal);
    if (isCovered()) continue;
    const token = tokenOf(wish);
    if (token === undefined) {
      ending.abort();
      return;
    }
    try {
      seen(await call<Order>(path, { token }));
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      if (error.status === 404 || error.status === 401) lost(error);
    }
  }
}

/** Not crypto.randomUUID(): pages that came over plain http do not have it. */
function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

const keep = (place: string, attempt: Attempt): void => {
  sessionStorage.setItem(place, JSON.stringify(attempt));
};
const forget = (place: string): void => {
  sessionStorage.removeItem(place);
};

function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
