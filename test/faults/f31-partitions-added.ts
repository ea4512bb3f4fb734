import { TOPICS } from "../../shared/kafka/topics.ts";
import type { WorldFailure } from "./failure.ts";
import { longestStandstillMs } from "./measure.ts";

const PARTITIONS = 8;
const PER_SECOND = 100;

/** An API that starts now knows the new partitions at once; workers that run must learn of them. */
export const f31: WorldFailure = {
  id: "F31",
  title: "partitions added in mid-run",
  objective: { what: "an order in a new partition is decided", ms: 30_000 },
  world: { apis: 2, workers: 2 },
  async run(world, { orders }) {
    const shopping = world.shop.begin({ buyers: await world.users(orders), perSecond: PER_SECOND });
    await world.shop.accepted(orders / 4);
    const before = (await world.withAdmin((admin) => admin.fetchTopicOffsets(TOPICS.orders))).length;
    await world.withAdmin((admin) =>
      admin.createPartitions({ topicPartitions: [{ topic: TOPICS.orders, count: PARTITIONS }] }),
    );
    const [first] = world.apis;
    first?.kill("SIGTERM");
    await shopping.done;
    const ends = await world.withAdmin((admin) => admin.fetchTopicOffsets(TOPICS.orders));
    const used = ends.filter(({ high }) => Number(high) > 0).length;
    return {
      figures: { "partitions used": used },
      misses: used <= before ? ["no order came into a new partition"] : [],
      recovery: (rows) => {
        const waits = rows.map((row) => row.decided_at.getTime() - row.accepted_at.getTime());
        return {
          recoveryMs: Math.max(0, ...waits),
          figures: { "standstill ms": longestStandstillMs(rows) },
        };
      },
    };
  },
};
