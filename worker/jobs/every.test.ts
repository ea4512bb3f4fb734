import { expect } from "chai";
import sinon from "sinon";
import type { Lock } from "../../shared/domain/ports.ts";
import { createFakeLock } from "../../shared/testing/fakes.ts";
import { createLogRecorder } from "../../shared/testing/log.ts";
import { runEvery } from "./every.ts";

describe("a job that runs again and again", () => {
  let time: sinon.SinonFakeTimers;
  beforeEach(() => {
    time = sinon.useFakeTimers();
  });
  afterEach(() => {
    time.restore();
  });
  const job = (run: () => Promise<void>) => ({ name: "sweeper", everyMs: 1_000, lockMs: 10_000, run });

  it("runs each time, and not before its first wait is over", async () => {
    let runs = 0;
    const running = runEvery(
      job(async () => void (runs += 1)),
      createFakeLock(),
      createLogRecorder(),
    );
    await time.tickAsync(999);
    expect(runs).to.equal(0);
    await time.tickAsync(3_001);
    expect(runs).to.equal(4);
    await running.stop();
  });

  const locks = {
    "under a lock that is shared": createFakeLock(),
    "though the lock has run out": expiredLock(),
  };
  for (const [how, lock] of Object.entries(locks)) {
    it(`never runs twice at a time in one worker, however long a run takes, ${how}`, async () => {
      let [now, most] = [0, 0];
      const slow = job(async () => {
        now += 1;
        most = Math.max(most, now);
        await new Promise((resolve) => setTimeout(resolve, 3_500));
        now -= 1;
      });
      const running = runEvery(slow, lock, createLogRecorder());
      await time.tickAsync(20_000);
      const stopping = running.stop();
      await time.tickAsync(5_000);
      await stopping;
      expect(most).to.equal(1);
    });
  }

  it("runs in one of two workers at a time", async () => {
    let [now, most] = [0, 0];
    const slow = job(async () => {
      now += 1;
      most = Math.max(most, now);
      await new Promise((resolve) => setTimeout(resolve, 3_500));
      now -= 1;
    });
    const lock = createFakeLock();
    const workers = [runEvery(slow, lock, createLogRecorder()), runEvery(slow, lock, createLogRecorder())];
    await time.tickAsync(20_000);
    const stopping = Promise.all(workers.map((worker) => worker.stop()));
    await time.tickAsync(5_000);
    await stopping;
    expect(most).to.equal(1);
  });

  it("runs again after a run that failed, and says so", async () => {
    let runs = 0;
    const log = createLogRecorder();
    const failing = job(async () => {
      runs += 1;
      throw new Error("Redis is away");
    });
    const running = runEvery(failing, createFakeLock(), log);
    await time.tickAsync(3_000);
    await running.stop();
    expect(runs).to.equal(3);
    expect(log.of("warn").map(({ fields }) => fields["job"])).to.deep.equal([
      "sweeper",
      "sweeper",
      "sweeper",
    ]);
  });

  it("stops after the run at hand, and leaves no timer behind", async () => {
    let ended = false;
    const slow = job(async () => {
      await new Promise((resolve) => setTimeout(resolve, 5_000));
      ended = true;
    });
    const running = runEvery(slow, createFakeLock(), createLogRecorder());
    await time.tickAsync(1_000);
    const stopping = running.stop();
    await time.tickAsync(5_000);
    await stopping;
    expect(ended).to.equal(true);
    expect(time.countTimers()).to.equal(0);
  });
});

/** Redlock's lock runs out when a run takes longer than its time. */
function expiredLock(): Lock {
  return {
    tryWith: async (_resource, _ttlMs, work) => {
      await work();
      return "ran";
    },
  };
}
