import { call, Problem } from "../lib/api.ts";
import { follow } from "../lib/events.ts";
import { readStored } from "../lib/session.ts";

/** How often the same order is asked for again when there is no answer, and how far apart. */
const TRIES_MAX = 12;
const AGAIN_AFTER_MS = 500;
const AGAIN_AFTER_MAX_MS = 5_000;
const POLL_EVERY_MS = 1_000;
/** What says nothing yet about the order: ask again, with the same key. */
const PASSING = new Set([
  "network",
  "not_ready",
  "outcome_unknown",
  "order_in_progress",
  "too_many_requests",
]);

export interface Order {
  readonly orderId: string;
  readonly productId: number;
  readonly status: "PENDING" | "SUCCESS" | "FAILED";
  readonly amount: number;
  readonly currency: string;
  readonly failReason?: string;
}

/** One wish to buy, from the first click to its end. It outlives a reload: its key makes every request of it one order. */
interface Attempt {
  readonly key: string;
  readonly orderId?: string;
}

export type Step =
  | { readonly kind: "sending" | "again" | "gave up" }
  | { readonly kind: "order"; readonly order: Order }
  | { readonly kind: "refused"; readonly problem: Problem };

const storeKey = (productId: number): string => `flashpay.attempt.${String(productId)}`;
const running = new Set<number>();

export const hasAttempt = (productId: number): boolean => readStored(storeKey(productId)) !== null;

/**
 * Buys one unit, or goes on with the wish that was begun: after a reload, a lost connection or a second click it is the same
 * order. Ends when the order is decided or refused, and then the next wish is a new one.
 */
export async function buy(productId: number, tell: (step: Step) => void): Promise<void> {
  if (running.has(productId)) return;
  running.add(productId);
  try {
    const begun = readStored(storeKey(productId)) as Attempt | null;
    const attempt = begun ?? { key: newKey() };
    keep(productId, attempt);
    const orderId = attempt.orderId ?? (await place(productId, attempt.key, tell));
    if (orderId !== undefined) await untilDecided(productId, { ...attempt, orderId }, tell);
  } finally {
    running.delete(productId);
  }
}

async function place(
  productId: number,
  key: string,
  tell: (step: Step) => void,
): Promise<string | undefined> {
  tell({ kind: "sending" });
  for (let tries = 1; tries <= TRIES_MAX; tries += 1) {
    try {
      const order = await call<Order>("/api/orders", {
        method: "POST",
        body: { productId },
        headers: { "Idempotency-Key": key },
      });
      keep(productId, { key, orderId: order.orderId });
      tell({ kind: "order", order });
      return order.orderId;
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      if (!PASSING.has(error.code)) {
        // Nothing was taken. Who is not signed in any more goes on with the same wish afterwards.
        if (error.status !== 401) forget(productId);
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

/** By the order's events, and by asking while there are none. */
async function untilDecided(
  productId: number,
  { orderId }: { orderId: string },
  tell: (step: Step) => void,
): Promise<void> {
  const path = `/api/orders/${orderId}`;
  const ending = new AbortController();
  let streaming = false;
  const seen = (order: Order): void => {
    if (ending.signal.aborted) return;
    if (order.status !== "PENDING") {
      forget(productId);
      ending.abort();
    }
    tell({ kind: "order", order });
  };
  const lost = (problem: Problem): void => {
    forget(productId);
    ending.abort();
    tell({ kind: "refused", problem });
  };
  const state = (there: boolean) => (streaming = there);
  const isCovered = (): boolean => streaming || ending.signal.aborted;
  void follow<Order>({ path: `${path}/events`, event: seen, state, refused: () => undefined }, ending.signal);
  while (!ending.signal.aborted) {
    await pause(POLL_EVERY_MS, ending.signal);
    if (isCovered()) continue;
    try {
      seen(await call<Order>(path));
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

const keep = (productId: number, attempt: Attempt): void => {
  sessionStorage.setItem(storeKey(productId), JSON.stringify(attempt));
};
const forget = (productId: number): void => {
  sessionStorage.removeItem(storeKey(productId));
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
