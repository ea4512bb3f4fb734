import type { WorldFailure } from "./failure.ts";
import { acceptingAgainMs } from "./measure.ts";
import { lasting } from "./world.ts";

const FREEZES = 20;
const FREEZES_BRIEF = 2;
const FROZEN_MS = 5_000;
const THAWED_MS = 1_500;
const PER_SECOND = 60;

/** Commands time out while Redis does not move, and are carried out when it does: each is sent twice, or its answer is lost. */
export const f14: WorldFailure = {
  id: "F14",
  title: "Redis frozen, again and again",
  objective: { what: "orders are accepted again", ms: 5_000 },
  // All are sold, so that a unit taken twice is missed.
  world: { apis: 2, workers: 1, stock: (orders) => orders },
  async run(world, { orders, brief }) {
    const freezes = brief ? FREEZES_BRIEF : FREEZES;
    const lengthMs = freezes * (FROZEN_MS + THAWED_MS);
    const perSecond = Math.max(PER_SECOND, orders / (lengthMs / 1_000));
    const shopping = world.shop.begin({ buyers: await world.users(orders), perSecond });
    const recoveries: number[] = [];
    for (let i = 0; i < freezes; i += 1) {
      await lasting(THAWED_MS);
      world.servers.redis.kill("SIGSTOP");
      await lasting(FROZEN_MS);
      world.servers.redis.kill("SIGCONT");
      const thawedAt = Date.now();
      await lasting(THAWED_MS);
      recoveries.push(acceptingAgainMs(world.history, thawedAt) ?? Infinity);
    }
    await shopping.done;
    return { recoveryMs: Math.max(...recoveries), figures: { freezes } };
  },
};
