import type { Log, Revocations } from "../domain/ports.ts";
import type { RedisClient } from "./client.ts";
import { keys } from "./keys.ts";

/** A revoked token is refused by every process this much later, plus one round trip. */
export const REVOCATION_POLL_MS = 250;
/** Rows read at once; a poll reads on until it has all of them. */
const PAGE_ROWS = 10_000;
/** A hundred million revoked tokens, within one token's lifetime. */
const PAGES_MAX = 10_000;
/** Read again at each poll, so that a revocation written while Redis' clock stood on the same ms is not missed. */
const OVERLAP_MS = 2_000;

export interface RevocationList extends Revocations {
  /** Reads the whole list once, then keeps up. @throws when Redis does not answer. */
  start(): Promise<void>;
  stop(): void;
}

/** Instead of a token's id, in front of a user's; no token's id is this. */
const USER = "user";

/**
 * Revoked token ids by time of revocation, in one sorted set; each process keeps a copy, so that a request costs no
 * round trip. Bounded: an entry leaves the copy when its token has expired, and the set by the same age.
 * `jti:expiresAt` is one token, `user:id:issuedUntil` all of a user that were issued up to then.
 */
export function createRevocationList(client: RedisClient, tokenLifetimeMs: number, log: Log): RevocationList {
  const expiryByJti = new Map<string, number>();
  const endedByUser = new Map<number, number>();
  let readUntil = 0;
  let timer: NodeJS.Timeout | undefined;

  return {
    ...{ revoke, revokeAll, start, stop },
    isRevoked: ({ jti, userId, issuedAt }) =>
      expiryByJti.has(jti) || issuedAt <= (endedByUser.get(userId) ?? -Infinity),
  };

  async function revoke(jti: string, expiresAt: number): Promise<void> {
    const now = await redisNow();
    await client.zadd(keys.revoked(), now, `${jti}:${expiresAt}`);
    expiryByJti.set(jti, expiresAt);
  }

  async function revokeAll(userId: number, issuedUntil: number): Promise<void> {
    const now = await redisNow();
    await client.zadd(keys.revoked(), now, `${USER}:${userId}:${issuedUntil}`);
    endUser(userId, issuedUntil);
  }

  function endUser(userId: number, issuedUntil: number): void {
    endedByUser.set(userId, Math.max(issuedUntil, endedByUser.get(userId) ?? -Infinity));
  }

  async function start(): Promise<void> {
    await poll();
    schedule();
  }

  function stop(): void {
    clearTimeout(timer);
    timer = undefined;
  }

  function schedule(): void {
    timer = setTimeout(() => {
      poll()
        .catch((error: unknown) => {
          log.debug({ err: error }, "revocations not read; trying again");
        })
        .finally(() => {
          if (timer) schedule();
        });
    }, REVOCATION_POLL_MS);
  }

  async function poll(): Promise<void> {
    const now = await redisNow();
    const from = Math.max(0, readUntil - OVERLAP_MS);
    for (let page = 0; page < PAGES_MAX; page += 1) {
      const rows = await readPage(from, page * PAGE_ROWS);
      for (let i = 0; i < rows.length; i += 2) {
        const [first = "", second, third] = (rows[i] ?? "").split(":");
        if (first === USER) endUser(Number(second), Number(third));
        else expiryByJti.set(first, Number(second));
        readUntil = Number(rows[i + 1]);
      }
      if (rows.length < PAGE_ROWS * 2) break;
    }
    for (const [jti, expiresAt] of expiryByJti) if (expiresAt * 1000 < now) expiryByJti.delete(jti);
    for (const [userId, until] of endedByUser)
      if (until < now - tokenLifetimeMs - OVERLAP_MS) endedByUser.delete(userId);
    await client.zremrangebyscore(keys.revoked(), "-inf", now - tokenLifetimeMs - OVERLAP_MS);
  }

  function readPage(from: number, offset: number): Promise<string[]> {
    return client.zrangebyscore(keys.revoked(), from, "+inf", "WITHSCORES", "LIMIT", offset, PAGE_ROWS);
  }

  async function redisNow(): Promise<number> {
    const [seconds, micros] = await client.time();
    return Number(seconds) * 1000 + Math.floor(Number(micros) / 1000);
  }
}
