import { expect } from "chai";
import { LATENCY_STEPS, latencyStepOf } from "../../shared/domain/latency.ts";
import { createFakeClock } from "../../shared/testing/clock.ts";
import { createLogRecorder } from "../../shared/testing/log.ts";
import { sampleProduct } from "../../shared/testing/samples.ts";
import { createLiveView, type LiveViewDependencies } from "./live-view.ts";

function createScene() {
  const clock = createFakeClock();
  const state = {
    product: sampleProduct(),
    left: 10 as number | null,
    answered: { accepted: 0, refused: 0 },
    settled: 0,
    lag: 0,
    oldestMs: 0,
    latencies: Array.from({ length: LATENCY_STEPS }, () => 0),
    away: new Set<string>(),
  };
  const from = async <T>(server: string, value: T): Promise<T> => {
    if (state.away.has(server)) throw new Error(`${server} is away`);
    return value;
  };
  const dependencies: LiveViewDependencies = {
    stock: { look: () => from("redis", new Map([[1, { left: state.left, reservations: 2 }]])) },
    counts: {
      answered: () => from("redis", new Map([[1, { ...state.answered }]])),
      latencies: () => from("redis", [...state.latencies]),
    },
    database: {
      sales: () => from("mysql", [{ ...state.product, settled: state.settled }]),
      parkedLetters: () => from("mysql", 3),
    },
    backlog: {
      lag: () => from("kafka", BigInt(state.lag)),
      hasOlderThan: async (ms) => state.oldestMs > ms,
    },
    log: createLogRecorder(),
    now: clock.now,
  };
  return { clock, state, ...createLiveView(dependencies) };
}

describe("the live view", () => {
  it("tells rates by what changed since the look before", async () => {
    const { look, clock, state } = createScene();
    expect((await look()).sales[0]?.perSecond).to.equal(null);
    clock.advance(2_000);
    state.answered = { accepted: 20, refused: 6 };
    state.settled = 10;
    expect((await look()).sales[0]).to.deep.include({
      ...{ accepted: 20, refused: 6, settled: 10, stockLeft: 10, undecided: 2, state: "open" },
      perSecond: { accepted: 10, refused: 3, settled: 5 },
    });
    clock.advance(1_000);
    state.answered = { accepted: 0, refused: 0 };
    expect((await look()).sales[0]?.perSecond).to.deep.equal({ accepted: 0, refused: 0, settled: 0 });
  });

  it("tells the age of the oldest undecided message to a quarter, and zero when there is none", async () => {
    const { look, state } = createScene();
    expect(await look()).to.deep.include({ lag: 0, oldestMs: 0, deadLetters: 3 });
    state.lag = 5;
    for (const oldestMs of [100, 900, 61_000, 3_600_000]) {
      state.oldestMs = oldestMs;
      const told = (await look()).oldestMs ?? -1;
      expect(told, String(oldestMs)).to.be.within(oldestMs, Math.max(oldestMs * 1.25, oldestMs + 125));
    }
  });

  it("takes percentiles over the last ten looks only", async () => {
    const { look, state } = createScene();
    await look();
    state.latencies[latencyStepOf(800)]! += 100;
    expect((await look()).answers.p99Ms).to.be.within(800, 970);
    for (let n = 0; n < 10; n += 1) await look();
    expect((await look()).answers).to.deep.equal({ p50Ms: null, p99Ms: null });
    state.latencies[latencyStepOf(4)]! += 10;
    expect((await look()).answers.p50Ms).to.be.within(4, 5);
  });

  it("shows what it knows when a server is away, and what it does not as null", async () => {
    const { look, state } = createScene();
    await look();
    state.away.add("redis").add("kafka");
    expect((await look()).sales[0]).to.include({ stockLeft: null, undecided: null, state: "open" });
    expect(await look()).to.deep.include({ lag: null, oldestMs: null, deadLetters: 3 });
    state.away.clear();
    state.away.add("mysql");
    expect(await look()).to.deep.include({ deadLetters: null, lag: 0 });
    expect((await look()).sales).to.have.lengthOf(1);
  });
});
