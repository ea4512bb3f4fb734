import { expect } from "chai";
import sinon from "sinon";
import type { RateLimit } from "./domain/ports.ts";
import { createRateLimit, type SharedCount } from "./rate-limit.ts";
import { createLogRecorder } from "./testing/log.ts";

const WINDOW_MS = 1_000;
const POINTS = 20;
const SETTLED_MS = 150;

describe("a rate limit", () => {
  let time: sinon.SinonFakeTimers;
  beforeEach(() => {
    time = sinon.useFakeTimers();
  });
  afterEach(() => {
    time.restore();
  });

  /** Redis' part: a window begins with the first count told. */
  function createCounter() {
    const windows = new Map<string, { total: number; endsAt: number }>();
    const told: number[] = [];
    let away = false;
    const share: SharedCount = async (key, units) => {
      if (away) throw new Error("away");
      told.push(units);
      const known = windows.get(key);
      const current =
        known && Date.now() < known.endsAt ? known : { total: 0, endsAt: Date.now() + WINDOW_MS };
      current.total += units;
      windows.set(key, current);
      return { total: current.total, endsInMs: current.endsAt - Date.now() };
    };
    return {
      share,
      told,
      goAway: () => {
        away = true;
      },
    };
  }
  const processOn = (share: SharedCount, points = POINTS): RateLimit =>
    createRateLimit({
      ...{ points, share, windowMs: WINDOW_MS, log: createLogRecorder() },
      elapsed: () => Date.now(),
    });
  const takenOf = (limit: RateLimit, tries: number, key = "u"): number =>
    Array.from({ length: tries }, () => limit.take(key).outcome).filter((word) => word === "taken").length;

  /** Each process is asked `perTick` times every 10 ms. @returns what they let through together */
  async function script(limits: readonly RateLimit[], seconds: number, perTick: number): Promise<number> {
    let taken = 0;
    for (let at = 0; at < seconds * 1_000; at += 10) {
      for (const limit of limits) taken += takenOf(limit, perTick);
      await time.tickAsync(10);
    }
    return taken;
  }

  it("lets its number through in a window, says what is left and when it is fresh, and is fresh then", () => {
    const limit = processOn(createCounter().share, 2);
    expect(limit.take("u")).to.deep.equal({ outcome: "taken", left: 1, endsInMs: WINDOW_MS });
    time.tick(400);
    expect(limit.take("u")).to.deep.equal({ outcome: "taken", left: 0, endsInMs: WINDOW_MS - 400 });
    expect(limit.take("u")).to.deep.equal({ outcome: "refused", left: 0, endsInMs: WINDOW_MS - 400 });
    expect(limit.take("other").outcome).to.equal("taken");
    time.tick(WINDOW_MS - 400);
    expect(limit.take("u").outcome).to.equal("taken");
  });

  it("gives a script on one process its number each second, no less and no more", async () => {
    const limit = processOn(createCounter().share);
    expect(await script([limit], 10, 10)).to.be.within(9 * POINTS, 11 * POINTS);
  });

  it("holds over several processes together, on average", async () => {
    const { share } = createCounter();
    const limits = [1, 2, 3, 4].map(() => processOn(share));
    const seconds = 20;
    // The first window may take each process' number: nobody knows of the others yet.
    expect(await script(limits, seconds, 3)).to.be.within(
      (seconds - 5) * POINTS,
      (seconds + limits.length) * POINTS,
    );
  });

  it("knows what other processes took once they have told", async () => {
    const { share } = createCounter();
    const [here, there] = [processOn(share), processOn(share)];
    takenOf(there, 15);
    takenOf(here, 3);
    await time.tickAsync(SETTLED_MS);
    expect(takenOf(here, POINTS)).to.equal(POINTS - 15 - 3);
  });

  it("makes up for what was too much, before it lets anything through again", async () => {
    const { share } = createCounter();
    const [here, there] = [processOn(share), processOn(share)];
    expect(takenOf(there, POINTS) + takenOf(here, POINTS)).to.equal(2 * POINTS);
    await time.tickAsync(SETTLED_MS);
    // Refused, so they ask what the others took.
    takenOf(here, 1);
    takenOf(there, 1);
    await time.tickAsync(SETTLED_MS);
    for (const limit of [here, there]) {
      const { outcome, endsInMs } = limit.take("u");
      expect(outcome).to.equal("refused");
      expect(endsInMs).to.be.within(2 * WINDOW_MS - 3 * SETTLED_MS, 2 * WINDOW_MS);
    }
    await time.tickAsync(2 * WINDOW_MS);
    expect(takenOf(here, POINTS)).to.equal(POINTS);
  });

  it("costs no command for who asks little", async () => {
    const { share, told } = createCounter();
    const limit = processOn(share);
    for (let user = 0; user < 1_000; user += 1) limit.take(String(user));
    await time.tickAsync(WINDOW_MS);
    expect(told).to.deep.equal([]);
  });

  it("tells a crowd of one key in few commands", async () => {
    const { share, told } = createCounter();
    await script([processOn(share, 10_000)], 1, 50);
    expect(told.length).to.be.within(5, 10);
    expect(Math.max(...told)).to.be.greaterThan(400);
  });

  it("goes by its own count while the others cannot be asked", async () => {
    const { share, goAway } = createCounter();
    const limit = processOn(share);
    goAway();
    expect(await script([limit], 5, 10)).to.be.within(4 * POINTS, 6 * POINTS);
  });
});
