import type Redlock from "redlock";
import type { Lock as Held } from "redlock";
import type { Answer, ClaimOutcome, Log, OrderClaim, OrderClaims } from "../domain/ports.ts";
import type { ErrorCode } from "../domain/errors.ts";
import type { OrderMessage } from "../domain/order.ts";
import { defineScript, type RedisClient } from "./client.ts";
import { keys } from "./keys.ts";
import { isContention, releaseQuietly } from "./lock.ts";

/** A request that has not answered by then has died: above the sum of every wait on its way. */
export const CLAIM_LEASE_MS = 10_000;
const KEY_KEPT_MS = 24 * 3_600_000;
/** Longer than an order can be undecided: the topic keeps messages for 7 days. */
const PENDING_KEPT_MS = 8 * 24 * 3_600_000;
/** Pending orders read of one user. */
export const PENDING_READ_MAX = 1_000;

export function createOrderClaims(client: RedisClient, redlock: Redlock, log: Log): OrderClaims {
  const beginOrder = defineScript(client, "begin-order", 2);
  const endOrder = defineScript(client, "end-order", 2);
  /** Locks of requests in this process, by order id; removed when the request ends. */
  const held = new Map<string, Held>();

  return { begin, answer, forget, leaveOpen, pendingOf, pendingProductOf };

  async function begin(claim: OrderClaim): Promise<ClaimOutcome> {
    // Sent in one tick, hence in one pipeline: one round trip for both.
    const locking = redlock.acquire([keys.orderLock(claim.userId, claim.productId)], CLAIM_LEASE_MS);
    const [begun, locked] = await Promise.allSettled([claimKey(claim), locking]);
    if (locked.status === "rejected") return await withoutLock(claim, begun, locked.reason);
    if (begun.status === "rejected") {
      releaseQuietly(locked.value, log);
      throw begun.reason;
    }
    if (isOurs(begun.value)) held.set(begun.value.orderId, locked.value);
    else releaseQuietly(locked.value, log);
    return begun.value;
  }

  async function withoutLock(
    claim: OrderClaim,
    begun: PromiseSettledResult<ClaimOutcome>,
    reason: unknown,
  ): Promise<ClaimOutcome> {
    if (begun.status === "rejected") throw begun.reason;
    if (!isOurs(begun.value)) return begun.value;
    await end(
      { ...claim, orderId: begun.value.orderId },
      begun.value.outcome === "resumed" ? "open" : "forget",
    );
    if (await isContention(reason)) return { outcome: "in_progress" };
    throw reason;
  }

  async function claimKey(claim: OrderClaim): Promise<ClaimOutcome> {
    const [outcome, detail] = (await beginOrder(
      ...keysOf(claim),
      claim.orderId,
      claim.productId,
      claim.key?.requestHash ?? "",
      CLAIM_LEASE_MS,
      KEY_KEPT_MS,
      PENDING_KEPT_MS,
    )) as [string, string?];
    switch (outcome) {
      case "claimed":
      case "resumed":
        return { outcome, orderId: detail ?? claim.orderId };
      case "answered":
        return { outcome, answer: decodeAnswer(detail ?? "") };
      case "in_progress":
      case "key_reused":
        return { outcome };
      default:
        throw new Error(`begin-order.lua returned ${outcome}`);
    }
  }

  async function answer(
    claim: OrderClaim,
    given: Answer,
    order: "pending" | "decided" = "pending",
  ): Promise<void> {
    await end(claim, order === "decided" ? "decided" : given.kind, encodeAnswer(given));
  }

  async function forget(claim: OrderClaim): Promise<void> {
    await end(claim, "forget");
  }

  async function leaveOpen(claim: OrderClaim): Promise<void> {
    await end(claim, "open");
  }

  async function end(claim: OrderClaim, how: string, text = ""): Promise<void> {
    const lock = held.get(claim.orderId);
    held.delete(claim.orderId);
    const ending = endOrder(...keysOf(claim), claim.orderId, claim.key?.requestHash ?? "", how, text);
    if (lock) releaseQuietly(lock, log);
    await ending;
  }

  async function pendingOf(userId: number): Promise<ReadonlyMap<string, number>> {
    const [, flat] = await client.hscan(keys.pending(userId), 0, "COUNT", PENDING_READ_MAX);
    const pending = new Map<string, number>();
    for (let i = 0; i < flat.length; i += 2) pending.set(flat[i] ?? "", Number(flat[i + 1]));
    return pending;
  }

  async function pendingProductOf(userId: number, orderId: string): Promise<number | null> {
    const productId = await client.hget(keys.pending(userId), orderId);
    return productId === null ? null : Number(productId);
  }
}

type Ours = Extract<ClaimOutcome, { orderId: string }>;
const isOurs = (claimed: ClaimOutcome): claimed is Ours =>
  claimed.outcome === "claimed" || claimed.outcome === "resumed";

function keysOf({ userId, key }: OrderClaim): [string, string] {
  const pending = keys.pending(userId);
  return [key ? keys.idempotency(userId, key.value) : pending, pending];
}

function encodeAnswer(answer: Answer): string {
  return JSON.stringify(
    answer.kind === "accepted" ? { a: answer.order } : { c: answer.code, t: answer.traceId },
  );
}

function decodeAnswer(text: string): Answer {
  const { a, c, t } = JSON.parse(text) as { a?: OrderMessage; c?: ErrorCode; t?: string };
  if (a) return { kind: "accepted", order: a };
  if (c && t) return { kind: "refused", code: c, traceId: t };
  throw new Error("a remembered answer cannot be read");
}
