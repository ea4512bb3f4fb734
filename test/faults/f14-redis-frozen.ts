import type { WorldFailure } from "./failure.ts";
import { acceptingAgainMs } from "./measure.ts";
import { lasting, type World } from "./world.ts";

const FREEZES = 20;
const FREEZES_BRIEF = 2;
const FROZEN_MS = 5_000;
const THAWED_MS = 1_500;
const PER_SECOND = 60;
/** A thaw that is not over by then has missed its objective. */
const AGAIN_DEADLINE_MS = 10_000;

/** Commands time out while Redis does not move, and are carried out when it does: each is sent twice, or its answer is lost. */
export const f14: WorldFailure = {
  id: "F14",
  title: "Redis frozen, again and again",
  objective: { what: "orders are accepted again", ms: 5_000 },
  world: { apis: 2, workers: 1 },
  async run(world, { orders, brief }) {
    const freezes = brief ? FREEZES_BRIEF : FREEZES;
    const lengthMs = freezes * (THAWED_MS + FROZEN_MS + THAWED_MS);
    const perSecond = Math.max(PER_SECOND, orders / (lengthMs / 1_000));
    // They must not run out before the last freeze is over.
    const buyers = await world.users(Math.ceil((perSecond * lengthMs) / 1_000));
    const shopping = world.shop.begin({ buyers, perSecond });
    const recoveries: number[] = [];
    for (let i = 0; i < freezes; i += 1) {
      await lasting(THAWED_MS);
      world.servers.redis.kill("SIGSTOP");
      await lasting(FROZEN_MS);
      world.servers.redis.kill("SIGCONT");
      const thawedAt = Date.now();
      await lasting(THAWED_MS);
      recoveries.push(await acceptedAgain(world, thawedAt));
    }
    await shopping.done;
    return { recoveryMs: Math.max(...recoveries), figures: { freezes } };
  },
};

async function acceptedAgain({ history }: World, since: number): Promise<number> {
  for (;;) {
    const ms = acceptingAgainMs(history, since);
    if (ms !== undefined || Date.now() - since > AGAIN_DEADLINE_MS) return ms ?? Infinity;
    await lasting(100);
  }
}
