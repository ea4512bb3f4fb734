import { hash } from "node:crypto";
import { v7 as uuidv7 } from "uuid";

const DAY_MS = 86_400_000;

/** UUID version 7 (RFC 9562 §5.7): a new order at every call. */
export const newOrderId = (): string => uuidv7();

/**
 * UUID version 8 (RFC 9562 §5.8) from user, key, request and UTC day: the same order at every call, on every process, even when
 * Redis has forgotten the claim. The day makes a key that comes back after its 24 h a new order; a retry across
 * midnight keeps its id, because the claim remembers it. The first 48 bits are the day's start, epoch ms.
 */
export function derivedOrderId(userId: number, key: string, requestHash: string, nowMs: number): string {
  const dayStart = Math.floor(nowMs / DAY_MS) * DAY_MS;
  const hex = hash("sha256", `${userId}\n${key}\n${requestHash}\n${dayStart}`);
  const stamp = dayStart.toString(16).padStart(12, "0");
  const variant = ((Number.parseInt(hex.charAt(16), 16) & 0x3) | 0x8).toString(16);
  return `${stamp.slice(0, 8)}-${stamp.slice(8)}-8${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
