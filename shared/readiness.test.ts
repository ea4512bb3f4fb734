import { expect } from "chai";
import sinon from "sinon";
import { readiness } from "./readiness.ts";

describe("readiness", () => {
  it("is given when every check passes", async () => {
    expect(await readiness({ mysql: async () => true, kafka: () => true })).to.deep.equal({
      ready: true,
      checks: { mysql: true, kafka: true },
    });
  });

  it("names the check that fails, throws, or rejects", async () => {
    const checks = {
      mysql: () => false,
      redis: () => {
        throw new Error("away");
      },
      kafka: () => Promise.reject(new Error("away")),
      accepting: () => true,
    };
    expect(await readiness(checks)).to.deep.equal({
      ready: false,
      checks: { mysql: false, redis: false, kafka: false, accepting: true },
    });
  });

  it("waits one second for a check, for all at the same time, and leaves no timer behind", async () => {
    const time = sinon.useFakeTimers();
    try {
      const never = () => new Promise<boolean>(() => undefined);
      const asked = readiness({ mysql: never, redis: never, kafka: () => true });
      await time.tickAsync(1_000);
      expect((await asked).checks).to.deep.equal({ mysql: false, redis: false, kafka: true });
      expect(time.countTimers()).to.equal(0);
    } finally {
      time.restore();
    }
  });
});
