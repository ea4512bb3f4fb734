import { expect } from "chai";
import { RateLimiterMemory } from "rate-limiter-flexible";
import { DomainError } from "../../shared/domain/errors.ts";
import { createAttemptLimits } from "./login-limits.ts";

const PER_ACCOUNT = 10;
const PER_ADDRESS = 30;

function createScene() {
  const minute = (points: number) => new RateLimiterMemory({ points, duration: 60 });
  const known = new Set<string>();
  const limits = createAttemptLimits({
    account: minute(PER_ACCOUNT),
    accountAtHome: minute(PER_ACCOUNT),
    address: minute(PER_ADDRESS),
    signup: minute(PER_ADDRESS),
    known: {
      has: async (account, address) => known.has(`${account} ${address}`),
      remember: async (account, address) => void known.add(`${account} ${address}`),
    },
  });
  /** @returns seconds to wait, when the try is refused before its password is looked at */
  const tried = async (account: string, address: string, right = false): Promise<number | undefined> => {
    try {
      const attempt = await limits.startLogin(account, address);
      await (right ? attempt.succeeded() : attempt.failed());
      return undefined;
    } catch (error) {
      if (error instanceof DomainError && error.code === "too_many_requests")
        return error.details.retryAfterS;
      throw error;
    }
  };
  const refusals = async (times: number, account: string, addressOf: (i: number) => string) => {
    let refused = 0;
    for (let i = 0; i < times; i += 1) if (await tried(account, addressOf(i))) refused += 1;
    return refused;
  };
  return { tried, refusals };
}

describe("tries to log in", () => {
  it("on one account end with the eleventh wrong one, from however many addresses", async () => {
    const { tried, refusals } = createScene();
    expect(await refusals(20, "id:1", (i) => `10.0.0.${i}`)).to.equal(20 - PER_ACCOUNT);
    expect(await tried("id:1", "10.0.1.1")).to.be.within(1, 60);
    expect(await tried("id:2", "10.0.1.1")).to.equal(undefined);
  });

  it("of strangers do not lock out the owner where the owner has logged in before", async () => {
    const { tried, refusals } = createScene();
    await tried("id:1", "192.0.2.1", true);
    expect(await refusals(20, "id:1", (i) => `10.0.0.${i}`)).to.equal(20 - PER_ACCOUNT);
    expect(await tried("id:1", "192.0.2.1", true)).to.equal(undefined);
  });

  it("from where the owner has logged in are limited, too", async () => {
    const { tried, refusals } = createScene();
    await tried("id:1", "192.0.2.1", true);
    expect(await refusals(15, "id:1", () => "192.0.2.1")).to.equal(15 - PER_ACCOUNT);
    expect(await tried("id:1", "10.0.0.1")).to.equal(undefined);
  });

  it("with the right password cost nothing", async () => {
    const { tried } = createScene();
    for (let i = 0; i < 3 * PER_ADDRESS; i += 1)
      expect(await tried("id:1", "192.0.2.1", true)).to.equal(undefined);
  });

  it("of one address end at its own limit, whatever the accounts", async () => {
    const { tried } = createScene();
    for (let i = 0; i < PER_ADDRESS; i += 1)
      expect(await tried(`name:${i}`, "192.0.2.1")).to.equal(undefined);
    expect(await tried("name:other", "192.0.2.1")).to.be.within(1, 60);
    expect(await tried("name:other", "192.0.2.2")).to.equal(undefined);
  });
});
