import type { KnownAddresses, Log } from "../domain/ports.ts";
import type { RedisClient } from "./client.ts";
import { keys } from "./keys.ts";

/** An address is known for so long after the last log-in from it. */
export const KNOWN_FOR_S = 30 * 86_400;
/** The latest of an account; who moves around more is a stranger at the oldest. */
export const ADDRESSES_MAX = 20;

/** One sorted set an account: addresses by their last log-in, epoch s. While Redis is away everybody is a stranger. */
export function createKnownAddresses(
  client: RedisClient,
  log: Log,
  now: () => number = Date.now,
): KnownAddresses {
  const seconds = () => Math.floor(now() / 1_000);
  return {
    async has(account, address) {
      try {
        const at = await client.zscore(keys.knownAddresses(account), address);
        return at !== null && Number(at) > seconds() - KNOWN_FOR_S;
      } catch (error) {
        log.debug({ err: error }, "known addresses not read");
        return false;
      }
    },
    async remember(account, address) {
      const key = keys.knownAddresses(account);
      try {
        // In one turn, hence in one pipeline; each is harmless without the others.
        await Promise.all([
          client.zadd(key, seconds(), address),
          client.zremrangebyrank(key, 0, -ADDRESSES_MAX - 1),
          client.expire(key, KNOWN_FOR_S),
        ]);
      } catch (error) {
        log.debug({ err: error }, "an address was not remembered");
      }
    },
  };
}
