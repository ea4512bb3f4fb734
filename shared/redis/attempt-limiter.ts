import { RateLimiterMemory, RateLimiterRedis } from "rate-limiter-flexible";
import type { SharedCount } from "../rate-limit.ts";
import type { RedisClient } from "./client.ts";
import { keys } from "./keys.ts";

/** Tries per minute, or another window, over all processes; while Redis is away each process counts for itself. */
export function createAttemptLimiter(
  client: RedisClient,
  name: string,
  points: number,
  windowS = 60,
): RateLimiterRedis {
  return createLimiter(client, name, { points, duration: windowS });
}

/** What all processes count in a second; while Redis is away, what this one does. */
export function createSharedCount(client: RedisClient, name: string, points: number): SharedCount {
  const limiter = createLimiter(client, name, { points, duration: 1 });
  return async (key, units) => {
    const { consumedPoints, msBeforeNext } = await limiter.penalty(key, units);
    return { total: consumedPoints, endsInMs: msBeforeNext };
  };
}

function createLimiter(
  client: RedisClient,
  name: string,
  window: { points: number; duration: number },
): RateLimiterRedis {
  return new RateLimiterRedis({
    storeClient: client,
    keyPrefix: keys.rateLimit(name),
    ...window,
    insuranceLimiter: new RateLimiterMemory(window),
  });
}
