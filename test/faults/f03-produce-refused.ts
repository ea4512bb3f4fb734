import type { WorldFailure } from "./failure.ts";
import { acceptingAgainMs, answerTimes, percentile } from "./measure.ts";
import { lasting } from "./world.ts";

const AWAY_MS = 60_000;
const AWAY_BRIEF_MS = 5_000;
const BEFORE_MS = 3_000;
const PER_SECOND = 60;
/** By then the breaker is open. */
const OPEN_AFTER_MS = 3_000;
const REFUSED_MAX_MS = 1_000;
const REFUSED_OPEN_MAX_MS = 50;

/** Nobody is at the broker's address: the API must say so fast, and take nothing. */
export const f03: WorldFailure = {
  id: "F3",
  title: "definite produce failure (no connection)",
  objective: { what: "orders are accepted again", ms: 10_000 },
  world: { apis: 2, workers: 1, through: { api: ["kafka"] } },
  async run(world, { orders, brief }) {
    const awayMs = brief ? AWAY_BRIEF_MS : AWAY_MS;
    const perSecond = Math.max(PER_SECOND, orders / ((BEFORE_MS + awayMs + BEFORE_MS) / 1_000));
    const buyers = await world.users(Math.ceil((perSecond * (awayMs + 2 * BEFORE_MS)) / 1_000));
    const shopping = world.shop.begin({ buyers, perSecond, persistent: 0.1 });
    await lasting(BEFORE_MS);
    world.proxy("api", "kafka").refuse();
    const from = Date.now();
    await lasting(awayMs);
    const backAt = Date.now();
    world.proxy("api", "kafka").pass();
    await shopping.done;
    const refused = answerTimes(world.history, from, backAt);
    const open = answerTimes(world.history, from + OPEN_AFTER_MS, backAt);
    const p99 = percentile(refused, 0.99);
    const median = percentile(open, 0.5);
    return {
      recoveryMs: acceptingAgainMs(world.history, backAt),
      figures: { "503 p99 ms": p99, "503 open p50 ms": median, "503 open p99 ms": percentile(open, 0.99) },
      misses: [
        ...(p99 > REFUSED_MAX_MS ? [`p99 of refusals is ${p99} ms, not ${REFUSED_MAX_MS}`] : []),
        ...(median > REFUSED_OPEN_MAX_MS ? [`half of the refusals take longer than ${median} ms`] : []),
      ],
    };
  },
};
