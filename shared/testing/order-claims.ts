import type { Answer, ClaimOutcome, OrderClaim, OrderClaims } from "../domain/ports.ts";
import { createFaults } from "./faults.ts";

export const FAKE_LEASE_MS = 10_000;
const KEY_KEPT_MS = 24 * 3_600_000;

interface KeyRecord {
  readonly hash: string;
  readonly orderId: string;
  readonly expiresAt: number;
  leaseUntil: number;
  answer?: Answer;
}

/** begin-orders.lua and end-orders.lua on maps. */
export function createFakeOrderClaims(now: () => number) {
  const records = new Map<string, KeyRecord>();
  const pending = new Map<number, Map<string, number>>();
  const locks = new Map<string, { readonly orderId: string; readonly until: number }>();
  const faults = createFaults<"begin" | "answer" | "forget" | "leaveOpen" | "pendingOf">();
  /** How each claim ended, in order. */
  const endings: { readonly how: string; readonly orderId: string }[] = [];

  const claims: OrderClaims = {
    begin: async (claim) => {
      faults.check("begin");
      return begin(claim);
    },
    answer: async (claim, given) => {
      faults.check("answer");
      close(claim, given.kind, given);
    },
    forget: async (claim) => {
      faults.check("forget");
      close(claim, "forget");
    },
    leaveOpen: async (claim) => {
      faults.check("leaveOpen");
      close(claim, "leaveOpen");
    },
    pendingOf: async (userId) => {
      faults.check("pendingOf");
      return new Map(pending.get(userId));
    },
    pendingProductOf: async (userId, orderId) => {
      faults.check("pendingOf");
      return pending.get(userId)?.get(orderId) ?? null;
    },
  };
  return { ...claims, faults, endings, dropPending, isLocked, rememberState };

  function begin(claim: OrderClaim): ClaimOutcome {
    const { userId, productId, key } = claim;
    const name = `${userId}:${key?.value ?? ""}`;
    const found = key && records.get(name);
    const record = found && now() < found.expiresAt ? found : undefined;
    if (record && record.hash !== key?.requestHash) return { outcome: "key_reused" };
    if (record?.answer) return { outcome: "answered", answer: record.answer };
    if (record && now() < record.leaseUntil) return { outcome: "in_progress" };
    if (isLocked(userId, productId)) return { outcome: "in_progress" };
    const orderId = record?.orderId ?? claim.orderId;
    const leaseUntil = now() + FAKE_LEASE_MS;
    locks.set(lockOf(claim), { orderId, until: leaseUntil });
    if (record) record.leaseUntil = leaseUntil;
    else if (key)
      records.set(name, { hash: key.requestHash, orderId, leaseUntil, expiresAt: now() + KEY_KEPT_MS });
    note(userId, orderId, productId);
    return { outcome: record ? "resumed" : "claimed", orderId };
  }

  function close(claim: OrderClaim, how: "forget" | "leaveOpen" | Answer["kind"], answer?: Answer): void {
    endings.push({ how, orderId: claim.orderId });
    end(claim, how, answer);
    if (locks.get(lockOf(claim))?.orderId === claim.orderId) locks.delete(lockOf(claim));
  }

  function end(claim: OrderClaim, how: "forget" | "leaveOpen" | Answer["kind"], answer?: Answer): void {
    const { userId, orderId, key } = claim;
    if (how === "refused" || how === "forget") pending.get(userId)?.delete(orderId);
    const name = `${userId}:${key?.value ?? ""}`;
    const record = records.get(name);
    if (!key || !record || record.answer || record.hash !== key.requestHash || record.orderId !== orderId)
      return;
    if (how === "forget") records.delete(name);
    else if (how === "leaveOpen") record.leaseUntil = 0;
    else if (answer) record.answer = answer;
  }

  function note(userId: number, orderId: string, productId: number): void {
    const own = pending.get(userId) ?? new Map<string, number>();
    own.set(orderId, productId);
    pending.set(userId, own);
  }

  /** The worker's housekeeping. */
  function dropPending(userId: number, orderId: string): void {
    pending.get(userId)?.delete(orderId);
  }

  function isLocked(userId: number, productId: number): boolean {
    return (locks.get(`${userId}:${productId}`)?.until ?? 0) > now();
  }

  /** A snapshot: the function that comes back puts everything as it is now. */
  function rememberState(): () => void {
    const copy = structuredClone({ records, pending, locks });
    return () => {
      const then = structuredClone(copy);
      refill(records, then.records);
      refill(pending, then.pending);
      refill(locks, then.locks);
    };
  }
}
export type FakeOrderClaims = ReturnType<typeof createFakeOrderClaims>;

function refill<Key, Value>(map: Map<Key, Value>, from: ReadonlyMap<Key, Value>): void {
  map.clear();
  for (const [key, value] of from) map.set(key, value);
}

const lockOf = ({ userId, productId }: OrderClaim): string => `${userId}:${productId}`;
