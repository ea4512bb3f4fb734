import { createHash } from "node:crypto";
import type { RequestHandler } from "express";
import { RateLimiterMemory, RateLimiterRes } from "rate-limiter-flexible";
import { DomainError } from "../../shared/domain/errors.ts";
import { principalOf } from "../request-context.ts";
import type { AttemptLimits } from "../services/account-service.ts";

/** What counts tries: shared over processes (Redis) or of this process (memory). */
export interface Limiter {
  consume(key: string): Promise<RateLimiterRes>;
  get(key: string): Promise<RateLimiterRes | null>;
  reward(key: string): Promise<RateLimiterRes>;
}

/** Requests of one address in a second, over all routes, per process: a crowd must not cost a round trip each. */
export function limitPerAddress(points: number): RequestHandler {
  const limiter = new RateLimiterMemory({ points, duration: 1 });
  return async (req, _res, next) => {
    await consume(limiter, addressOf(req.ip));
    next();
  };
}

/** Orders of one user in a second, per process. */
export function limitOrdersPerUser(points: number): RequestHandler {
  const limiter = new RateLimiterMemory({ points, duration: 1 });
  return async (req, _res, next) => {
    await consume(limiter, String(principalOf(req).userId));
    next();
  };
}

export interface AttemptLimiters {
  readonly account: Limiter;
  readonly address: Limiter;
  readonly signup: Limiter;
}

/** Only wrong tries count, so a right password is never slowed down by its owner's own log-ins. */
export function createAttemptLimits({ account, address, signup }: AttemptLimiters): AttemptLimits {
  return {
    async startLogin(name, from) {
      await refuseSpent(address, addressOf(from));
      await consume(account, hashed(name));
    },
    loginFailed: (from) => count(address, addressOf(from)),
    async loginSucceeded(name) {
      await account.reward(hashed(name));
    },
    checkSignup: (from) => refuseSpent(signup, addressOf(from)),
    signupConflicted: (from) => count(signup, addressOf(from)),
  };
}

async function consume(limiter: Limiter, key: string): Promise<void> {
  try {
    await limiter.consume(key);
  } catch (error) {
    throw error instanceof RateLimiterRes ? tooMany(error) : error;
  }
}

async function refuseSpent(limiter: Limiter, key: string): Promise<void> {
  const spent = await limiter.get(key);
  if (spent && spent.remainingPoints <= 0) throw tooMany(spent);
}

/** The try itself was answered already; one over the limit is refused at the next. */
async function count(limiter: Limiter, key: string): Promise<void> {
  await limiter.consume(key).catch((error: unknown) => {
    if (!(error instanceof RateLimiterRes)) throw error;
  });
}

function tooMany({ msBeforeNext }: RateLimiterRes): DomainError {
  const retryAfterS = Math.max(1, Math.ceil(msBeforeNext / 1_000));
  return new DomainError("too_many_requests", "Too many requests. Slow down.", { retryAfterS });
}

const addressOf = (ip: string | undefined): string => ip ?? "unknown";

/** Names come from the client: a fixed length, and no name in Redis. */
const hashed = (name: string): string => createHash("sha256").update(name).digest("base64url").slice(0, 22);
