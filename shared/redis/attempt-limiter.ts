import { RateLimiterMemory, RateLimiterRedis } from "rate-limiter-flexible";
import type { RedisClient } from "./client.ts";
import { keys } from "./keys.ts";

/** Tries per minute over all processes; while Redis is away each process counts for itself. */
export function createAttemptLimiter(client: RedisClient, name: string, points: number): RateLimiterRedis {
  const window = { points, duration: 60 };
  return new RateLimiterRedis({
    storeClient: client,
    keyPrefix: keys.rateLimit(name),
    ...window,
    insuranceLimiter: new RateLimiterMemory(window),
  });
}
