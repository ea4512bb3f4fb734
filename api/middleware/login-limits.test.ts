import { expect } from "chai";
import { RateLimiterMemory } from "rate-limiter-flexible";
import { DomainError } from "../../shared/domain/errors.ts";
import { createAttemptLimits } from "./login-limits.ts";

const PER_ACCOUNT = 10;
const PER_ADDRESS = 30;
const WORK = 200;

function createScene({ work = WORK } = {}) {
  const minute = (points: number) => new RateLimiterMemory({ points, duration: 60 });
  const known = new Set<string>();
  const limits = createAttemptLimits({
    account: minute(PER_ACCOUNT),
    accountAtHome: minute(PER_ACCOUNT),
    address: minute(PER_ADDRESS),
    signup: minute(PER_ADDRESS),
    work: minute(work),
    known: {
      has: async (account, address) => known.has(`${account} ${address}`),
      remember: async (account, address) => void known.add(`${account} ${address}`),
    },
  });
  /** @returns seconds to wait, when the try is refused before its password is looked at */
  const tried = async (account: string, address: string, right = false): Promise<number | undefined> => {
    try {
      const attempt = await limits.startLogin(account, address);
      if (right) await attempt.succeeded();
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
  return { limits, tried, refusals };
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

  it("of one address end at its limit, too, when all of them come at once", async () => {
    const { tried } = createScene();
    const tries = Array.from({ length: 100 }, (_, i) => tried(`name:${i}`, "192.0.2.1"));
    const refused = (await Promise.all(tries)).filter((seconds) => seconds !== undefined);
    expect(refused.length).to.equal(100 - PER_ADDRESS);
  });

  it("that are right cost nothing, also when more of them come at once than may be wrong", async () => {
    const { limits, tried } = createScene();
    const attempts = await Promise.allSettled(
      Array.from({ length: 2 * PER_ADDRESS }, (_, i) => limits.startLogin(`id:${i}`, "192.0.2.1")),
    );
    for (const attempt of attempts) if (attempt.status === "fulfilled") await attempt.value.succeeded();
    for (let i = 0; i < PER_ADDRESS; i += 1)
      expect(await tried(`name:${i}`, "192.0.2.1")).to.equal(undefined);
    expect(await tried("name:other", "192.0.2.1")).to.be.within(1, 60);
  });

  it("that came to nothing cost neither account nor address anything", async () => {
    const { limits, tried } = createScene();
    for (let i = 0; i < 2 * PER_ADDRESS; i += 1)
      await (await limits.startLogin("id:1", "192.0.2.1")).undone();
    expect(await tried("id:1", "192.0.2.1")).to.equal(undefined);
  });

  it("on an account that is closed cost the address nothing", async () => {
    const { tried, refusals } = createScene();
    await refusals(PER_ACCOUNT, "id:1", (i) => `10.0.0.${i}`);
    expect(await refusals(2 * PER_ADDRESS, "id:1", () => "192.0.2.1")).to.equal(2 * PER_ADDRESS);
    expect(await tried("id:2", "192.0.2.1")).to.equal(undefined);
  });

  it("know the address of a sign-up", async () => {
    const { limits, tried, refusals } = createScene();
    await (await limits.startSignup("192.0.2.1")).succeeded("id:1");
    expect(await refusals(20, "id:1", (i) => `10.0.0.${i}`)).to.equal(20 - PER_ACCOUNT);
    expect(await tried("id:1", "192.0.2.1", true)).to.equal(undefined);
  });
});

describe("sign-ups of one address", () => {
  it("end at its limit when their names are taken, also when all of them come at once", async () => {
    const { limits } = createScene();
    const tries = await Promise.allSettled(
      Array.from({ length: 100 }, () => limits.startSignup("192.0.2.1")),
    );
    expect(tries.filter(({ status }) => status === "rejected").length).to.equal(100 - PER_ADDRESS);
  });
});

describe("the passwords that one address may have hashed", () => {
  it("end at their own limit, right ones and sign-ups included, and cost nobody a try", async () => {
    const { limits, tried } = createScene({ work: 4 });
    for (const account of ["id:1", "id:2"])
      expect(await tried(account, "192.0.2.1", true)).to.equal(undefined);
    for (const account of ["id:3", "id:4"]) await (await limits.startSignup("192.0.2.1")).succeeded(account);
    for (let i = 0; i < 2 * PER_ADDRESS; i += 1)
      expect(await tried("id:1", "192.0.2.1", true)).to.be.within(1, 60);
    const signup: unknown = await limits.startSignup("192.0.2.1").catch((error: unknown) => error);
    expect(signup).to.be.instanceOf(DomainError).and.to.include({ code: "too_many_requests" });
    expect(await tried("id:1", "192.0.2.2", true), "another address").to.equal(undefined);
  });
});
