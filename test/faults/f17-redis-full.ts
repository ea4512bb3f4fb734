import type { WorldFailure } from "./failure.ts";
import { acceptingAgainMs } from "./measure.ts";
import { during, underLoad } from "./outage.ts";
import type { World } from "./world.ts";

const FULL_MS = 20_000;
const FULL_BRIEF_MS = 4_000;
const MEMORY_LOW = "1mb";
/** No limit, as before. */
const MEMORY_FREE = "0";

/** A Redis without memory must refuse, and never make room by forgetting. */
export const f17: WorldFailure = {
  id: "F17",
  title: "Redis without memory",
  objective: { what: "orders are accepted again", ms: 5_000 },
  world: { apis: 2, workers: 1, stock: (orders) => orders },
  async run(world, { orders, brief }) {
    const outageMs = brief ? FULL_BRIEF_MS : FULL_MS;
    const limit = (memory: string) => () => world.redis.config("SET", "maxmemory", memory);
    const { from, to } = await underLoad(world, { orders, outageMs }, () =>
      during(outageMs, limit(MEMORY_LOW), limit(MEMORY_FREE)),
    );
    const calls = world.history.calls.filter(({ sentAt, at }) => sentAt > from && at < to);
    const refused = calls.filter(({ code }) => code === "not_ready").length;
    const evicted = await evictedKeys(world);
    return {
      recoveryMs: acceptingAgainMs(world.history, to),
      figures: { not_ready: refused, "evicted keys": evicted },
      misses: [
        ...(refused === calls.length
          ? []
          : [`${calls.length - refused} calls were not refused as not_ready`]),
        ...(refused > 0 ? [] : ["nobody was refused"]),
        ...(evicted > 0 ? [`Redis has forgotten ${evicted} keys`] : []),
      ],
    };
  },
};

async function evictedKeys({ redis }: World): Promise<number> {
  return Number(/evicted_keys:(\d+)/.exec(await redis.info("stats"))?.[1] ?? NaN);
}
