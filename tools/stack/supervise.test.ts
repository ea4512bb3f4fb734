import { expect } from "chai";
import sinon from "sinon";
import { supervise } from "./supervise.ts";

describe("supervision", () => {
  let clock: sinon.SinonFakeTimers;
  let die: (ending: string) => void;
  const restart = sinon.stub();
  const giveUp = sinon.stub();
  const stopped = { now: new AbortController() };

  beforeEach(() => {
    clock = sinon.useFakeTimers();
    restart.reset();
    giveUp.reset();
    stopped.now = new AbortController();
    const service = {
      name: "worker",
      restart,
      onDeath: (listener: (ending: string) => void) => {
        die = listener;
      },
    };
    supervise(service, { report: () => undefined, signal: stopped.now.signal, giveUp });
  });
  afterEach(() => {
    clock.restore();
  });

  it("brings a dead service back", async () => {
    restart.resolves();
    die("exit code 1");
    await clock.tickAsync(500);
    expect(restart.callCount).to.equal(1);
  });

  it("waits ever longer between attempts, and gives up in the end", async () => {
    restart.rejects(new Error("still broken"));
    die("exit code 1");
    await clock.tickAsync(500 + 1_000 + 2_000);
    expect(restart.callCount).to.equal(3);
    await clock.tickAsync(3_600_000);
    expect(restart.callCount).to.equal(12);
    expect(giveUp.callCount).to.equal(1);
    expect(giveUp.firstCall.args[0]).to.contain("still broken");
  });

  it("lets the dead rest once the stop has begun", async () => {
    stopped.now.abort();
    die("SIGTERM");
    await clock.tickAsync(60_000);
    expect(restart.callCount).to.equal(0);
  });
});
