import { createHash } from "node:crypto";
import { RateLimiterRes } from "rate-limiter-flexible";
import { DomainError } from "../../shared/domain/errors.ts";
import type { KnownAddresses } from "../../shared/domain/ports.ts";
import type { AttemptLimits } from "../services/account-service.ts";
import { addressOf } from "./rate-limit.ts";

/** What counts tries: over all processes (Redis), or in this one while Redis is away. */
export interface Limiter {
  consume(key: string): Promise<RateLimiterRes>;
  get(key: string): Promise<RateLimiterRes | null>;
  reward(key: string): Promise<RateLimiterRes>;
}

export interface AttemptLimiters {
  /** Tries on an account from addresses that it is not known at, all together. */
  readonly account: Limiter;
  /** Tries on an account from one address that it is known at. */
  readonly accountAtHome: Limiter;
  readonly address: Limiter;
  readonly signup: Limiter;
  readonly known: KnownAddresses;
}

/**
 * Only wrong tries count, so a right password is never slowed down by its owner's own log-ins. An address where the
 * account has logged in before has tries of its own: strangers who use up theirs lock out other strangers, not the owner.
 */
export function createAttemptLimits({
  account,
  accountAtHome,
  address,
  signup,
  known,
}: AttemptLimiters): AttemptLimits {
  return {
    async startLogin(name, from) {
      const place = addressOf(from);
      const who = hashed(name);
      const there = hashed(`${name} ${place}`);
      const [isKnown] = await Promise.all([known.has(who, there), refuseSpent(address, place)]);
      const [limiter, key] = isKnown ? [accountAtHome, there] : [account, who];
      await consume(limiter, key);
      return {
        failed: () => count(address, place),
        async succeeded() {
          await Promise.all([limiter.reward(key), known.remember(who, there)]);
        },
      };
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

/** Names come from the client: a fixed length, and neither name nor address in Redis. */
const hashed = (text: string): string => createHash("sha256").update(text).digest("base64url").slice(0, 22);
