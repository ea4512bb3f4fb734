import Redlock, { ResourceLockedError, type Lock as Held } from "redlock";
import type { Lock, Log } from "../domain/ports.ts";
import type { RedisClient } from "./client.ts";
import { keys } from "./keys.ts";

/** Redlock without retries: who finds a lock held does something else. */
export function createRedlock(client: RedisClient, log: Log): Redlock {
  const redlock = new Redlock([client], { retryCount: 0, automaticExtensionThreshold: 0 });
  redlock.on("error", (error: unknown) => {
    // Contention is what a lock is for; the caller hears of it.
    if (!(error instanceof ResourceLockedError)) log.debug({ err: error }, "redlock attempt failed");
  });
  return redlock;
}

/** Redlock tells contention and a broken Redis apart only in its attempts' votes. */
export async function isContention(error: unknown): Promise<boolean> {
  if (error instanceof ResourceLockedError) return true;
  const attempts = (error as { attempts?: readonly Promise<{ votesAgainst: Map<unknown, Error> }>[] })
    .attempts;
  if (!attempts) return false;
  const votes = (await Promise.all(attempts)).flatMap(({ votesAgainst }) => [...votesAgainst.values()]);
  return votes.length > 0 && votes.every((vote) => vote instanceof ResourceLockedError);
}

/** A lock that can't be released runs out by its own time: nothing is undone, nothing is thrown. */
export function releaseQuietly(lock: Held, log: Log): void {
  lock.release().catch((error: unknown) => {
    log.debug({ err: error, resources: lock.resources }, "lock not released; it expires by itself");
  });
}

export function createJobLock(redlock: Redlock, log: Log): Lock {
  return {
    async tryWith(resource, ttlMs, work) {
      let held: Held;
      try {
        held = await redlock.acquire([keys.jobLock(resource)], ttlMs);
      } catch (error) {
        if (await isContention(error)) return "busy";
        throw error;
      }
      try {
        await work();
        return "ran";
      } finally {
        releaseQuietly(held, log);
      }
    },
  };
}
