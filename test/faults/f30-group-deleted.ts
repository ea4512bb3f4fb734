import { WORKER_GROUP } from "../../shared/kafka/topics.ts";
import type { WorldFailure } from "./failure.ts";
import { decidingAgainMs } from "./measure.ts";

const PER_SECOND = 150;

/** Nothing tells any more how far orders are decided: all are read again, and none is skipped. */
export const f30: WorldFailure = {
  id: "F30",
  title: "the consumer group is deleted",
  objective: { what: "orders are decided again", ms: 15_000 },
  world: { apis: 1, workers: 2 },
  async run(world, { orders }) {
    const buyers = await world.users(orders);
    const shopping = world.shop.begin({ buyers, perSecond: PER_SECOND });
    await world.shop.accepted(orders / 3);
    await Promise.all(world.workers.map((worker) => worker.stop()));
    await world.shop.accepted((2 * orders) / 3);
    await world.withAdmin((admin) => admin.deleteGroups([WORKER_GROUP]));
    const undecided = await world.lag();
    const resumedAt = Date.now();
    for (const worker of world.workers) worker.resume();
    await shopping.done;
    await Promise.all(world.workers.map((worker) => worker.ready()));
    return {
      figures: { "messages read again": undecided },
      recovery: (rows) => ({ recoveryMs: decidingAgainMs(rows, resumedAt) }),
    };
  },
};
