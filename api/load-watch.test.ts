import { expect } from "chai";
import sinon from "sinon";
import { createLogRecorder } from "../shared/testing/log.ts";
import { createLoadWatch } from "./load-watch.ts";

const LOOK_MS = 250;
/** What the meter of a loop that is on time shows. */
const ON_TIME_MS = 20;

describe("the watch of the event loop", () => {
  let time: sinon.SinonFakeTimers;
  beforeEach(() => {
    time = sinon.useFakeTimers();
  });
  afterEach(() => {
    time.restore();
  });

  function createScene() {
    const meter = { mean: ON_TIME_MS * 1e6, reset: sinon.spy() };
    const log = createLogRecorder();
    const watch = createLoadWatch({ lateAboveMs: 200, veryLateAboveMs: 800, log, meter });
    const after = (delayMs: number) => {
      meter.mean = (ON_TIME_MS + delayMs) * 1e6;
      time.tick(LOOK_MS);
      return watch.load();
    };
    return { meter, log, watch, after };
  }

  it("tells two degrees of lateness, and each ends at half of what began it", () => {
    const { after } = createScene();
    const delays = [0, 200, 201, 101, 100, 801, 401, 400, 150, 100, 900, 0];
    expect(delays.map(after)).to.deep.equal([
      ...["normal", "normal", "late", "late", "normal"],
      ...["very_late", "very_late", "late", "late", "normal"],
      ...["very_late", "normal"],
    ]);
  });

  it("goes by what happened since its last look", () => {
    const { meter, after } = createScene();
    after(0);
    after(0);
    expect(meter.reset.callCount).to.equal(2);
  });

  it("says each change once", () => {
    const { log, after } = createScene();
    for (const delay of [300, 300, 0, 0]) after(delay);
    expect(log.lines.map(({ level }) => level)).to.deep.equal(["warn", "info"]);
  });

  it("looks no more once it is stopped", () => {
    const { watch, after } = createScene();
    watch.stop();
    expect(after(5_000)).to.equal("normal");
  });

  it("measures a loop that is held up", async () => {
    time.restore();
    const watch = createLoadWatch({ lateAboveMs: 20, veryLateAboveMs: 10_000, log: createLogRecorder() });
    const deadline = performance.now() + 10_000;
    while (watch.load() === "normal" && performance.now() < deadline) {
      const until = performance.now() + 100;
      while (performance.now() < until);
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    expect(watch.load()).to.equal("late");
    watch.stop();
  });
});
