import type { WorldFailure } from "./failure.ts";
import { acceptingAgainMs, answerTimes, percentile } from "./measure.ts";
import { lasting } from "./world.ts";

const DOWN_MS = 30_000;
const DOWN_BRIEF_MS = 4_000;
const BEFORE_MS = 3_000;
const REFUSED_MAX_MS = 500;

export const f13: WorldFailure = {
  id: "F13",
  title: "Redis killed, and back later",
  objective: { what: "orders are accepted again", ms: 5_000 },
  world: { apis: 2, workers: 1, stock: (orders) => orders },
  async run(world, { orders, brief }) {
    const downMs = brief ? DOWN_BRIEF_MS : DOWN_MS;
    const perSecond = orders / ((downMs + 2 * BEFORE_MS) / 1_000);
    const shopping = world.shop.begin({ buyers: await world.users(orders), perSecond });
    await lasting(BEFORE_MS);
    world.servers.redis.kill("SIGKILL");
    await world.servers.redis.exited();
    const killedAt = Date.now();
    await lasting(downMs);
    const upAt = Date.now();
    await world.servers.redis.restart();
    const backAt = Date.now();
    await shopping.done;
    const times = answerTimes(world.history, killedAt, upAt);
    const accepted = world.history.of("ok").filter(({ sentAt, at }) => sentAt > killedAt && at < upAt).length;
    const p95 = percentile(times, 0.95);
    return {
      recoveryMs: acceptingAgainMs(world.history, backAt),
      figures: { "503 p95 ms": p95, "503 p99 ms": percentile(times, 0.99) },
      misses: [
        ...(p95 > REFUSED_MAX_MS ? [`p95 of refusals is ${p95} ms, not ${REFUSED_MAX_MS}`] : []),
        ...(accepted > 0 ? [`${accepted} orders accepted without Redis`] : []),
      ],
    };
  },
};
