import type { WorldFailure } from "./failure.ts";
import { acceptingAgainMs } from "./measure.ts";

const PER_SECOND = 100;
/** Only requests that carry orders hold it. */
const AN_ORDER = '"orderId"';
const EVERY = 20;

/** First the answer of a hand-over is swallowed (it is in the log), then the hand-over itself (it is not). */
export const f02: WorldFailure = {
  id: "F2",
  title: "produce times out, outcome unknown",
  objective: { what: "orders are accepted again", ms: 10_000 },
  world: { apis: 2, workers: 1, through: { api: ["kafka"] } },
  async run(world, { orders }) {
    const proxy = world.proxy("api", "kafka");
    const buyers = await world.users(orders);
    const shopping = world.shop.begin({ buyers, perSecond: PER_SECOND });
    let acted = 0;
    for (const [act, until] of [
      ["mute down", 0.4],
      ["mute up", 0.8],
    ] as const) {
      proxy.trigger({ on: "up", pattern: AN_ORDER, every: EVERY, act });
      await world.shop.answered(until * orders);
      acted += proxy.acted();
    }
    proxy.pass();
    const endedAt = Date.now();
    await shopping.done;
    return { recoveryMs: acceptingAgainMs(world.history, endedAt), figures: { "lost hand-overs": acted } };
  },
};
