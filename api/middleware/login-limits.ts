import { createHash } from "node:crypto";
import { RateLimiterRes } from "rate-limiter-flexible";
import { DomainError } from "../../shared/domain/errors.ts";
import type { KnownAddresses } from "../../shared/domain/ports.ts";
import type { AttemptLimits } from "../services/account-service.ts";
import { addressOf } from "./rate-limit.ts";

/** What counts tries: over all processes (Redis), or in this one while Redis is away. */
export interface Limiter {
  consume(key: string): Promise<RateLimiterRes>;
  reward(key: string): Promise<RateLimiterRes>;
}

export interface AttemptLimiters {
  /** Tries on an account from addresses that it is not known at, all together. */
  readonly account: Limiter;
  /** Tries on an account from one address that it is known at. */
  readonly accountAtHome: Limiter;
  readonly address: Limiter;
  readonly signup: Limiter;
  /** Passwords that one address may have hashed, right ones and sign-ups included: each is 60 ms of a core. */
  readonly work: Limiter;
  readonly known: KnownAddresses;
}

/**
 * Only wrong tries count, so a right password is never slowed down by its owner's own log-ins. An address where the
 * account has logged in before has tries of its own: strangers who use up theirs lock out other strangers, not the owner.
 * Every try counts before its password is looked at, and is given back when it was right, or came to nothing: tries in
 * parallel cannot all come before the first count.
 */
export function createAttemptLimits(limiters: AttemptLimiters): AttemptLimits {
  const { account, accountAtHome, address, signup, work, known } = limiters;
  return {
    async startLogin(name, from) {
      const place = addressOf(from);
      const who = hashed(name);
      const there = hashed(`${name} ${place}`);
      const isKnown = await known.has(who, there);
      const giveBack = await take([address, place], isKnown ? [accountAtHome, there] : [account, who]);
      await spend(work, place, giveBack);
      return {
        undone: giveBack,
        async succeeded() {
          await Promise.all([giveBack(), known.remember(who, there)]);
        },
      };
    },
    async startSignup(from) {
      const place = addressOf(from);
      const giveBack = await take([signup, place]);
      await spend(work, place, giveBack);
      return {
        undone: giveBack,
        async succeeded(name) {
          await Promise.all([giveBack(), known.remember(hashed(name), hashed(`${name} ${place}`))]);
        },
      };
    },
  };
}

/** One of each, or none. @returns what gives them back */
async function take(...wanted: (readonly [Limiter, string])[]): Promise<() => Promise<void>> {
  const taken: (readonly [Limiter, string])[] = [];
  const giveBack = async (): Promise<void> => {
    await Promise.all(taken.splice(0).map(([limiter, key]) => limiter.reward(key)));
  };
  for (const [limiter, key] of wanted) {
    // One that is refused has been counted, too: those that are under way and right would not bring the count down again.
    taken.push([limiter, key]);
    await limiter.consume(key).catch(async (error: unknown) => {
      await giveBack();
      throw error instanceof RateLimiterRes ? tooMany(error) : error;
    });
  }
  return giveBack;
}

/** For work that is done whatever comes of it. */
async function spend(limiter: Limiter, key: string, giveBack: () => Promise<void>): Promise<void> {
  await take([limiter, key]).catch(async (error: unknown) => {
    await giveBack();
    throw error;
  });
}

function tooMany({ msBeforeNext }: RateLimiterRes): DomainError {
  const retryAfterS = Math.max(1, Math.ceil(msBeforeNext / 1_000));
  return new DomainError("too_many_requests", "Too many requests. Slow down.", { retryAfterS });
}

/** Names come from the client: a fixed length, and neither name nor address in Redis. */
const hashed = (text: string): string => createHash("sha256").update(text).digest("base64url").slice(0, 22);
