import type { WorldFailure } from "./failure.ts";
import { drained } from "./judge.ts";
import { acceptingAgainMs } from "./measure.ts";

const EVERY = 50;
const PER_SECOND = 120;

/** The script ran, its reply is lost: asked again at once, and asked again when the order is decided and its reservation gone. */
export const f15: WorldFailure = {
  id: "F15",
  title: "Redis' reply cut after the script ran",
  objective: { what: "orders are accepted again", ms: 5_000 },
  world: { apis: 2, workers: 1, through: { api: ["redis"] } },
  async run(world, { orders }) {
    const proxy = world.proxy("api", "redis");
    const buyers = await world.users(orders);
    proxy.trigger({ on: "down", every: EVERY, act: "cut before" });
    await world.shop.begin({ buyers, perSecond: PER_SECOND }).done;
    await drained(world);
    const cuts = proxy.acted();
    // The same buyers with the same keys, late: none of them may take a second unit.
    const late = buyers.filter((_, i) => i % 3 === 0);
    const again = world.shop.begin({ buyers: late, perSecond: PER_SECOND });
    await world.shop.answered(world.history.calls.length + late.length / 2);
    proxy.pass();
    const endedAt = Date.now();
    await again.done;
    return { recoveryMs: acceptingAgainMs(world.history, endedAt), figures: { "replies lost": cuts } };
  },
};
