import { groupBy } from "../../shared/domain/group-by.ts";

/** `ok` must have happened, `fail` must not have, `info` may have, at most once. */
export type Kind = "ok" | "fail" | "info";

/**
 * One order call as its client saw it, and one line of a history file (JSON, `\n` after each):
 * `{"kind":"ok","userId":7,"productId":3,"code":"accepted","orderId":"…","key":"…"}`.
 */
export interface Call {
  readonly kind: Kind;
  readonly userId: number;
  readonly productId: number;
  /** The refusal's code, "accepted", or why there was no answer. */
  readonly code: string;
  /** What a 202 promised: always there with `ok`. */
  readonly orderId?: string;
  /** The Idempotency-Key, when one was sent: calls that share it are one attempt. */
  readonly key?: string;
  /** The connection was cut under a request that went out on a kept one. */
  readonly reset?: true;
}

/** What the database says of one order. */
export interface OrderRow {
  readonly id: string;
  readonly user_id: number;
  readonly product_id: number;
  readonly status: string;
}

export interface Contradiction {
  readonly invariant: "I1" | "I8";
  readonly userId: number;
  readonly productId: number;
  readonly orderId: string;
  readonly says: string;
}

/** Where calls and rows meet. */
export const placeOf = (userId: number, productId: number): string => `${userId}:${productId}`;

/** What these rows say against what their buyers heard. Every call and row of a user and product must be among them. */
export function contradictions(
  calls: readonly Call[],
  rows: readonly OrderRow[],
  allowFailed = false,
): Contradiction[] {
  const asked = groupBy(calls, ({ userId, productId }) => placeOf(userId, productId));
  const made = groupBy(rows, ({ user_id, product_id }) => placeOf(user_id, product_id));
  return [...new Set([...asked.keys(), ...made.keys()])].flatMap((place) =>
    ofOnePlace(asked.get(place) ?? [], made.get(place) ?? [], allowFailed),
  );
}

function ofOnePlace(
  calls: readonly Call[],
  rows: readonly OrderRow[],
  allowFailed: boolean,
): Contradiction[] {
  const statuses = new Map(rows.map(({ id, status }) => [id, status]));
  const promised = new Map(calls.flatMap((call) => (call.orderId ? [[call.orderId, call] as const] : [])));
  const lost = [...promised].flatMap(([orderId, { userId, productId }]): Contradiction[] => {
    const status = statuses.get(orderId) ?? "nowhere";
    if (status === "SUCCESS" || (allowFailed && status === "FAILED")) return [];
    return [{ invariant: "I1", userId, productId, orderId, says: `heard 202 and is ${status}` }];
  });
  const unpromised = rows.filter(({ id }) => !promised.has(id));
  if (unpromised.length <= openAttempts(calls)) return lost;
  const heard = [...new Set(calls.map(({ code }) => code))].join(", ");
  const asked = calls.length === 0 ? "nobody asked for it" : `its buyer heard only ${heard}`;
  const strange = unpromised.map(({ id, user_id, product_id, status }): Contradiction => ({
    ...{ invariant: "I8", userId: user_id, productId: product_id, orderId: id },
    says: `is ${status} and ${asked}`,
  }));
  return [...lost, ...strange];
}

/** Attempts that may have become an order nobody was told of: a key's calls are one, and a key that heard 202 was told. */
function openAttempts(calls: readonly Call[]): number {
  const told = new Set(calls.filter(({ kind }) => kind === "ok").map(({ key }) => key));
  const open = calls.filter(({ kind, key }) => kind === "info" && (key === undefined || !told.has(key)));
  const keys = new Set(open.flatMap(({ key }) => (key === undefined ? [] : [key])));
  return keys.size + open.filter(({ key }) => key === undefined).length;
}
