import { randomUUID } from "node:crypto";
import type { Answer, ClaimOutcome, OrderClaim, OrderClaims } from "../domain/ports.ts";
import type { ErrorCode } from "../domain/errors.ts";
import { inParts } from "../domain/group-by.ts";
import { createBatchedCalls } from "./batched-calls.ts";
import { defineItemsScript, type RedisClient } from "./client.ts";
import { keys } from "./keys.ts";
import { packOrder, unpackOrder } from "./packed-order.ts";

/** A request that has not answered by then has died: above the sum of every wait on its way. */
export const CLAIM_LEASE_MS = 10_000;
const KEY_KEPT_MS = 24 * 3_600_000;
/** Longer than an order can be undecided: the topic keeps messages for 7 days. */
const PENDING_KEPT_MS = 8 * 24 * 3_600_000;
const KEYS_OF_ONE = 3;
const REPLIES_OF_ONE = 3;
/** Pending orders read of one user. */
export const PENDING_READ_MAX = 1_000;

interface Beginning {
  readonly claim: OrderClaim;
  readonly token: string;
}
interface Ending extends Beginning {
  readonly how: string;
  readonly text: string;
}

/**
 * The claim of the key, the lock of (user, product) and the note of the pending order are one script: a lock by itself
 * would be one more call to Redis for each order, and one more to release it (docs/decisions/0009). Orders that begin, or
 * end, in one turn of the event loop share a call.
 */
export function createOrderClaims(client: RedisClient): OrderClaims {
  const beginOrders = defineItemsScript(client, "begin-orders", KEYS_OF_ONE);
  const endOrders = defineItemsScript(client, "end-orders", KEYS_OF_ONE);
  const beginning = createBatchedCalls<Beginning, string[]>({ max: beginOrders.itemsMax, call: beginAll });
  const ending = createBatchedCalls<Ending, string>({ max: endOrders.itemsMax, call: endAll });
  /** Tokens of the locks held by requests in this process, by order id; removed when the request ends. */
  const held = new Map<string, string>();
  const process = randomUUID();
  let attempts = 0;

  return { begin, answer, forget, leaveOpen, pendingOf, pendingProductOf };

  async function begin(claim: OrderClaim): Promise<ClaimOutcome> {
    attempts += 1;
    const token = `${process}:${attempts}`;
    const [outcome, detail = "", first = ""] = await beginning({ claim, token });
    switch (outcome) {
      case "claimed":
      case "resumed": {
        held.set(detail, token);
        return { outcome, orderId: detail };
      }
      case "answered":
        return { outcome, answer: decodeAnswer(detail, first, claim.productId) };
      case "in_progress":
      case "key_reused":
        return { outcome };
      default:
        throw new Error(`begin-orders.lua returned ${String(outcome)}`);
    }
  }

  async function beginAll(beginnings: readonly Beginning[]): Promise<string[][]> {
    const keysOfAll: string[] = [];
    const args: (string | number)[] = [CLAIM_LEASE_MS, KEY_KEPT_MS, PENDING_KEPT_MS];
    for (const { claim, token } of beginnings) {
      keysOfAll.push(...keysOf(claim));
      args.push(claim.orderId, claim.productId, claim.key?.requestHash ?? "", token);
    }
    return inParts((await beginOrders.call(keysOfAll, args)) as string[], REPLIES_OF_ONE);
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
    const token = held.get(claim.orderId) ?? "";
    held.delete(claim.orderId);
    await ending({ claim, how, text, token });
  }

  async function endAll(endings: readonly Ending[]): Promise<string[]> {
    const keysOfAll: string[] = [];
    const args: string[] = [];
    for (const { claim, how, text, token } of endings) {
      keysOfAll.push(...keysOf(claim));
      args.push(claim.orderId, claim.key?.requestHash ?? "", how, text, token);
    }
    return (await endOrders.call(keysOfAll, args)) as string[];
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

function keysOf({ userId, productId, key }: OrderClaim): [string, string, string] {
  const pending = keys.pending(userId);
  return [key ? keys.idempotency(userId, key.value) : pending, pending, keys.orderLock(userId, productId)];
}

/** A|facts of the order, or C|code|traceId: they are kept for a day, one for each key. */
function encodeAnswer(answer: Answer): string {
  return answer.kind === "accepted" ? `A|${packOrder(answer.order)}` : `C|${answer.code}|${answer.traceId}`;
}

/** The record's hash has told that it is about this product. */
function decodeAnswer(text: string, orderId: string, productId: number): Answer {
  if (text.startsWith("A|"))
    return { kind: "accepted", order: unpackOrder(orderId, productId, text.slice(2)) };
  const [, code, traceId] = /^C\|(\w+)\|(.+)$/s.exec(text) ?? [];
  if (code && traceId) return { kind: "refused", code: code as ErrorCode, traceId };
  throw new Error("a remembered answer cannot be read");
}
