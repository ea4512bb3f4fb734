import { expect } from "chai";
import sinon from "sinon";
import { createReadiness, readiness, READINESS_SHARED_MS } from "./readiness.ts";

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

describe("readiness that is asked for often", () => {
  function createScene() {
    const scene = { now: 0, asked: 0, isUp: true, isStopping: false };
    const mysql = async () => {
      scene.asked += 1;
      return scene.isUp;
    };
    const ask = createReadiness({ mysql }, { accepting: () => !scene.isStopping }, () => scene.now);
    return { scene, ask };
  }

  it("costs the servers one check, however many ask at once", async () => {
    const { scene, ask } = createScene();
    const answers = await Promise.all(Array.from({ length: 100 }, ask));
    expect(scene.asked).to.equal(1);
    for (const answer of answers)
      expect(answer).to.deep.equal({ ready: true, checks: { accepting: true, mysql: true } });
  });

  it("is looked at anew when a quarter of a second is over, good or bad", async () => {
    const { scene, ask } = createScene();
    await ask();
    scene.isUp = false;
    scene.now = READINESS_SHARED_MS - 1;
    expect([(await ask()).ready, scene.asked]).to.deep.equal([true, 1]);
    scene.now = READINESS_SHARED_MS;
    expect([(await ask()).ready, scene.asked]).to.deep.equal([false, 2]);
    scene.isUp = true;
    scene.now += READINESS_SHARED_MS;
    expect([(await ask()).ready, scene.asked]).to.deep.equal([true, 3]);
  });

  it("is refused at once by a process that is stopping, also to those who asked before", async () => {
    const { scene, ask } = createScene();
    await ask();
    const asked = ask();
    scene.isStopping = true;
    for (const answer of [await asked, await ask()])
      expect(answer).to.deep.equal({ ready: false, checks: { accepting: false, mysql: true } });
    expect(scene.asked).to.equal(1);
  });
});
