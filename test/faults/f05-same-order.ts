import type { WorldFailure } from "./failure.ts";

const KEYS = 1_000;
const KEYS_BRIEF = 100;
const COPIES = 50;

export const f05: WorldFailure = {
  id: "F5",
  title: "the same order fifty times at once",
  world: { apis: 2, workers: 1 },
  async run(world, { brief }) {
    const buyers = await world.users(brief ? KEYS_BRIEF : KEYS);
    await world.shop.begin({ buyers, copies: COPIES, keyed: 1 }).done;
    const rejected = world.history.of("info").length;
    const distinct = new Set(world.history.of("ok").map(({ orderId }) => orderId)).size;
    return {
      figures: { calls: world.history.calls.length },
      misses: [
        ...(distinct === buyers.length ? [] : [`${distinct} orders of ${buyers.length} keys`]),
        ...(rejected === 0 ? [] : [`${rejected} calls without a clear answer`]),
      ],
    };
  },
};
