import { createHash } from "node:crypto";
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
  const bytes = createHash("sha256")
    .update(`${userId}\n${key}\n${requestHash}\n${dayStart}`)
    .digest()
    .subarray(0, 16);
  bytes.writeUIntBE(dayStart, 0, 6);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x80, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  const hex = bytes.toString("hex");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}
