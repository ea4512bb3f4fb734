import { dieAgainAndAgain } from "./deaths.ts";
import type { FailPoint } from "../../shared/fail-point.ts";
import type { WorldFailure } from "./failure.ts";
import { longestStandstillMs } from "./measure.ts";

const KILLS = 100;
const KILLS_BRIEF = 6;
const BATCHES_MAX = 3;
const WORKERS = 3;
const PER_SECOND = 40;
const DEADLINE_MS = 480_000;
/** So that a hundred deaths do not take a hundred times the 10 s that production waits. */
const SESSION_MS = 2_000;

/** Workers die at one point of their work, all of them, again and again. */
export function workersKilledAt(point: FailPoint, named: Pick<WorldFailure, "id" | "title">): WorldFailure {
  return {
    ...named,
    objective: { what: "orders are decided again", ms: 15_000 },
    world: { apis: 1, workers: WORKERS, settings: { WORKER_SESSION_TIMEOUT_MS: String(SESSION_MS) } },
    async run(world, { orders, brief }) {
      const kills = brief ? KILLS_BRIEF : KILLS;
      const died = await dieAgainAndAgain({
        ...{ world, keepers: world.workers, point, kills, timesMax: BATCHES_MAX },
        ...{ perSecond: PER_SECOND, orders, deadlineMs: DEADLINE_MS },
      });
      return {
        figures: { kills: died },
        misses: died < kills ? [`${died} kills instead of ${kills}`] : [],
        recovery: (rows) => ({ recoveryMs: longestStandstillMs(rows) }),
      };
    },
  };
}

export const f06 = workersKilledAt("after_commit", {
  id: "F6",
  title: "worker killed after COMMIT, before offsets",
});

export const f07 = workersKilledAt("after_order_insert", {
  id: "F7",
  title: "worker killed within the transaction",
});
