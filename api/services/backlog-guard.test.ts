import { expect } from "chai";
import sinon from "sinon";
import { createLogRecorder } from "../../shared/testing/log.ts";
import { createBacklogGuard } from "./backlog-guard.ts";

const AGE_MAX_MS = 300_000;
const LOOK_MS = 2_000;

describe("the guard of the backlog's age", () => {
  let time: sinon.SinonFakeTimers;
  beforeEach(() => {
    time = sinon.useFakeTimers();
  });
  afterEach(() => {
    time.restore();
  });

  it("stops intake while an order is older than allowed, asks with that age, and says so once each way", async () => {
    const hasOlderThan = sinon.stub<[number], Promise<boolean>>().resolves(false);
    const log = createLogRecorder();
    const guard = createBacklogGuard({ backlog: { hasOlderThan }, ageMaxMs: AGE_MAX_MS, log });
    await time.tickAsync(LOOK_MS);
    expect(guard.overdue()).to.equal(false);
    hasOlderThan.resolves(true);
    await time.tickAsync(2 * LOOK_MS);
    expect(guard.overdue()).to.equal(true);
    hasOlderThan.resolves(false);
    await time.tickAsync(2 * LOOK_MS);
    expect(guard.overdue()).to.equal(false);
    sinon.assert.alwaysCalledWithExactly(hasOlderThan, AGE_MAX_MS);
    expect(log.lines.map(({ level }) => level)).to.deep.equal(["error", "info"]);
    await guard.stop();
  });

  it("keeps what it knew while the log does not answer", async () => {
    const hasOlderThan = sinon.stub<[number], Promise<boolean>>().resolves(true);
    const guard = createBacklogGuard({
      backlog: { hasOlderThan },
      ageMaxMs: AGE_MAX_MS,
      log: createLogRecorder(),
    });
    await time.tickAsync(LOOK_MS);
    hasOlderThan.rejects(new Error("away"));
    await time.tickAsync(LOOK_MS);
    expect(guard.overdue()).to.equal(true);
    await guard.stop();
  });

  it("asks no more once it is stopped", async () => {
    const hasOlderThan = sinon.stub<[number], Promise<boolean>>().resolves(false);
    const guard = createBacklogGuard({
      backlog: { hasOlderThan },
      ageMaxMs: AGE_MAX_MS,
      log: createLogRecorder(),
    });
    await time.tickAsync(LOOK_MS);
    await guard.stop();
    await time.tickAsync(10 * LOOK_MS);
    sinon.assert.calledOnce(hasOlderThan);
  });
});
