import type { WorldFailure } from "./failure.ts";
import { longestStandstillMs } from "./measure.ts";
import { lasting } from "./world.ts";

const LENGTH_MS = 300_000;
const LENGTH_BRIEF_MS = 20_000;
const EVERY_MS = 5_000;

export const f09: WorldFailure = {
  id: "F9",
  title: "a second worker comes and goes",
  objective: { what: "orders are decided again", ms: 15_000 },
  world: { apis: 1, workers: 2 },
  async run(world, { orders, brief }) {
    const [, second] = world.workers;
    if (!second) throw new Error("there is no second worker");
    const turns = (brief ? LENGTH_BRIEF_MS : LENGTH_MS) / EVERY_MS;
    const perSecond = Math.max(20, orders / ((turns * EVERY_MS) / 1_000));
    const shopping = world.shop.begin({ buyers: await world.users(orders), perSecond });
    for (let turn = 0; turn < turns; turn += 1) {
      if (turn % 2 === 0) await second.stop();
      else second.resume();
      await lasting(EVERY_MS);
    }
    if (turns % 2 === 1) second.resume();
    await shopping.done;
    await second.ready();
    return {
      figures: { rebalances: turns },
      recovery: (rows) => ({ recoveryMs: longestStandstillMs(rows) }),
    };
  },
};
