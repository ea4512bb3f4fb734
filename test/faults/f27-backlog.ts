import type { WorldFailure } from "./failure.ts";
import { acceptingAgainMs } from "./measure.ts";
import { underLoad } from "./outage.ts";
import { lasting } from "./world.ts";

const ORDERS_MIN = 20_000;
const PER_SECOND = 400;
/** How much faster than it came the backlog must go. */
const DRAIN_FACTOR_MIN = 2;
const AGE_MAX_S = 5;
const FROZEN_MS = 25_000;
const FROZEN_BRIEF_MS = 14_000;
/** The guard looks every 2 s, and asks Kafka. */
const SHUT_MAX_MS = AGE_MAX_S * 1_000 + 5_000;

export const f27a: WorldFailure = {
  id: "F27a",
  title: "everything is sold before any is decided",
  objective: { what: "orders are decided again", ms: 15_000 },
  world: { apis: 1, workers: 2 },
  async run(world, { orders, brief }) {
    await Promise.all(world.workers.map((worker) => worker.stop()));
    const buyers = await world.users(brief ? orders : Math.max(orders, ORDERS_MIN));
    const startedAt = Date.now();
    await world.shop.begin({ buyers, perSecond: PER_SECOND }).done;
    const intake = world.history.accepted() / ((Date.now() - startedAt) / 1_000);
    const resumedAt = Date.now();
    for (const worker of world.workers) worker.resume();
    await Promise.all(world.workers.map((worker) => worker.ready()));
    return {
      recovery: (rows) => {
        const decidedAt = rows.map(({ decided_at }) => decided_at.getTime());
        const [first, last] = [Math.min(...decidedAt), Math.max(...decidedAt)];
        const drained = rows.length / ((last - first) / 1_000);
        const factor = drained / intake;
        return {
          recoveryMs: first - resumedAt,
          figures: { "intake/s": Math.round(intake), "drained/s": Math.round(drained) },
          misses: factor < DRAIN_FACTOR_MIN ? [`the backlog drained at ${factor.toFixed(1)} × intake`] : [],
        };
      },
    };
  },
};

/** Orders that wait for too long end the intake; those are decided, and it begins again. */
export const f27b: WorldFailure = {
  id: "F27b",
  title: "undecided orders grow too old",
  objective: { what: "orders are accepted again", ms: 15_000 },
  world: { apis: 2, workers: 1, settings: { UNDECIDED_AGE_MAX: String(AGE_MAX_S) } },
  async run(world, { orders, brief }) {
    const outageMs = brief ? FROZEN_BRIEF_MS : FROZEN_MS;
    const { from, to } = await underLoad(world, { orders, outageMs }, async () => {
      for (const worker of world.workers) worker.kill("SIGSTOP");
      const stoppedAt = Date.now();
      await lasting(outageMs);
      for (const worker of world.workers) worker.kill("SIGCONT");
      return { from: stoppedAt, to: Date.now() };
    });
    const calls = world.history.calls.filter(({ sentAt, at }) => sentAt > from && at < to);
    const shutMs = Math.max(...calls.filter(({ kind }) => kind === "ok").map(({ at }) => at - from));
    const refused = calls.filter(({ code }) => code === "not_ready").length;
    return {
      recoveryMs: acceptingAgainMs(world.history, to),
      figures: { "last 202 ms": shutMs, not_ready: refused },
      misses: [
        ...(shutMs > SHUT_MAX_MS ? [`orders were taken for ${shutMs} ms`] : []),
        ...(refused > 0 ? [] : ["nobody was refused"]),
      ],
    };
  },
};
