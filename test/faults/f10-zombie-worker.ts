import type { WorldFailure } from "./failure.ts";
import { longestStandstillMs } from "./measure.ts";
import { lasting } from "./world.ts";

const FREEZES = 20;
const FREEZES_BRIEF = 2;
const SESSION_MS = 2_000;
/** Beyond the session: the partitions are another worker's when it wakes up in the middle of its batch. */
const FROZEN_MS = 9_000;
const THAWED_MS = 2_000;

export const f10: WorldFailure = {
  id: "F10",
  title: "worker frozen beyond its session, and back",
  objective: { what: "orders are decided again", ms: 15_000 },
  world: { apis: 1, workers: 2, settings: { WORKER_SESSION_TIMEOUT_MS: String(SESSION_MS) } },
  async run(world, { orders, brief, random }) {
    const freezes = brief ? FREEZES_BRIEF : FREEZES;
    const perSecond = orders / ((freezes * (FROZEN_MS + THAWED_MS)) / 1_000);
    const shopping = world.shop.begin({ buyers: await world.users(orders), perSecond });
    for (let i = 0; i < freezes; i += 1) {
      await lasting(THAWED_MS + random.between(0, 500));
      const worker = world.workers[i % world.workers.length];
      worker?.kill("SIGSTOP");
      await lasting(FROZEN_MS);
      worker?.kill("SIGCONT");
    }
    await shopping.done;
    return {
      figures: { freezes },
      recovery: (rows) => ({ recoveryMs: longestStandstillMs(rows) }),
    };
  },
};
