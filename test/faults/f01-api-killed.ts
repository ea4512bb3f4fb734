import { dieAgainAndAgain } from "./deaths.ts";
import type { WorldFailure } from "./failure.ts";
import { percentile } from "./measure.ts";

const KILLS = 200;
const KILLS_BRIEF = 8;
const RESERVES_MAX = 12;
const PER_SECOND = 40;
const DEADLINE_MS = 480_000;
/** What was reserved by a process that died is handed over by the sweeper. */
const ORPHAN_DECIDED_MS = 30_000;

export const f01: WorldFailure = {
  id: "F1",
  title: "API killed between reserve and produce",
  objective: { what: "an API that was started again is ready", ms: 5_000 },
  world: { apis: 2, workers: 1 },
  async run(world, { orders, brief }) {
    const kills = brief ? KILLS_BRIEF : KILLS;
    const died = await dieAgainAndAgain({
      ...{ world, keepers: world.apis, point: "after_reserve", kills, timesMax: RESERVES_MAX },
      ...{ perSecond: PER_SECOND, orders, deadlineMs: DEADLINE_MS },
    });
    const starts = world.apis.flatMap(({ lives }) =>
      lives.flatMap(({ bornAt, readyAt }) => (readyAt === undefined ? [] : [readyAt - bornAt])),
    );
    return {
      recoveryMs: percentile(starts, 0.95),
      figures: { kills: died, "slowest start ms": Math.max(...starts) },
      misses: died < kills ? [`${died} kills instead of ${kills}`] : [],
      recovery: (rows) => {
        const waits = rows.map((row) => row.decided_at.getTime() - row.accepted_at.getTime());
        const longest = Math.max(0, ...waits);
        return {
          figures: { "longest wait ms": longest },
          misses: longest > ORPHAN_DECIDED_MS ? [`an order waited ${longest} ms for its decision`] : [],
        };
      },
    };
  },
};
