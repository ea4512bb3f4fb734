import { expect } from "chai";
import Joi from "joi";
import { loadConfig, sharedSettings, StartRefused } from "./config.ts";
import { createFailPoints } from "./fail-point.ts";

describe("a fail point", () => {
  const counted = (setting: string | undefined) => {
    const acted: string[] = [];
    return { acted, points: createFailPoints(setting, (point) => void acted.push(point)) };
  };

  it("acts once, at the count it was set to", async () => {
    const { acted, points } = counted("after_reserve:2");
    const work = points.after("after_reserve", (n: number) => Promise.resolve(n + 1));
    expect(await work(1)).to.equal(2);
    expect(acted).to.deep.equal([]);
    for (let n = 0; n < 3; n += 1) await work(n);
    expect(acted).to.deep.equal(["after_reserve"]);
  });

  it("that is not set costs nothing: the work stays as it is", () => {
    const work = (): Promise<void> => Promise.resolve();
    expect(counted(undefined).points.after("after_commit", work)).to.equal(work);
    expect(counted("after_reserve:1").points.after("after_commit", work)).to.equal(work);
  });

  it("is not reached by work that failed", async () => {
    const { acted, points } = counted("after_reserve:1");
    const work = points.after("after_reserve", () => Promise.reject(new Error("no")));
    await work().catch(() => undefined);
    expect(acted).to.deep.equal([]);
  });

  it("is refused outside tests, and so is one that does not exist", () => {
    const schema = Joi.object({
      NODE_ENV: sharedSettings.NODE_ENV,
      FAIL_POINT: sharedSettings.FAIL_POINT,
    });
    const load = (env: NodeJS.ProcessEnv) => () => loadConfig(schema, env);
    expect(load({ FAIL_POINT: "after_commit:1" })).to.throw(StartRefused, "FAIL_POINT is for tests alone");
    expect(load({ NODE_ENV: "test", FAIL_POINT: "after_lunch:1" })).to.throw(StartRefused, "must be one of");
    expect(load({ NODE_ENV: "test", FAIL_POINT: "after_commit:17" })()).to.include({
      FAIL_POINT: "after_commit:17",
    });
  });
});
