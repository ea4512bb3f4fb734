import { cpSync, rmSync } from "node:fs";
import type { WorldFailure } from "./failure.ts";
import { lasting, type World } from "./world.ts";

const SHUT_MAX_MS = 1_000;
const PER_SECOND = 60;
const POLL_MS = 100;
const OPEN_DEADLINE_MS = 120_000;

interface Gate {
  readonly shutMs: number | undefined;
  readonly openMs: number | undefined;
  /** 202s that were given on data that were no longer true. */
  readonly meanwhile: number;
}

/** In mid-sale Redis loses what it knew; `lose` returns when it has, epoch ms. */
function redisForgets(
  id: string,
  title: string,
  lose: (world: World, half: () => Promise<unknown>) => Promise<number>,
): WorldFailure {
  return {
    ...{ id, title, redisForgets: true },
    objective: { what: "the gate is open again after the drain", ms: 30_000 },
    // More is asked for than there is: a unit sold twice is one sold too many.
    world: { apis: 2, workers: 1, stock: (orders) => orders },
    async run(world, { orders }) {
      const buyers = await world.users(orders);
      const shopping = world.shop.begin({ buyers, perSecond: PER_SECOND, persistent: 0.9 });
      await world.shop.accepted(orders / 6);
      const lostAt = await lose(world, () => world.shop.accepted(orders / 3));
      const { shutMs, openMs, meanwhile } = await watchGate(world, lostAt);
      await shopping.done;
      return {
        recoveryMs: openMs,
        figures: { "gate shut ms": shutMs ?? "never", "202s until then": meanwhile },
        misses:
          (shutMs ?? Infinity) <= SHUT_MAX_MS ? [] : [`the gate was shut after ${shutMs ?? "never"} ms`],
      };
    },
  };
}

export const f16a = redisForgets("F16a", "Redis emptied in mid-sale", async (world, half) => {
  await half();
  await world.redis.flushall();
  return Date.now();
});

export const f16b = redisForgets("F16b", "an older append-only file put back", async (world, half) => {
  const { home, servers } = world;
  const copy = home.at("redis-copy");
  cpSync(home.at("redis"), copy, { recursive: true });
  await half();
  servers.redis.kill("SIGKILL");
  await servers.redis.exited();
  rmSync(home.at("redis"), { recursive: true });
  cpSync(copy, home.at("redis"), { recursive: true });
  await servers.redis.restart();
  return Date.now();
});

/** Shut: the first refusal. Open: the first 202 that was asked for later, told from when the log was decided to its end. */
async function watchGate({ history, lag }: World, lostAt: number): Promise<Gate> {
  let drainedAt: number | undefined;
  const end = Date.now() + OPEN_DEADLINE_MS;
  const shutAt = () => history.calls.find(({ at, code }) => at >= lostAt && code === "not_ready")?.at;
  const openedAt = () => {
    const shut = shutAt();
    return shut && history.calls.find(({ kind, sentAt }) => kind === "ok" && sentAt > shut)?.at;
  };
  while (openedAt() === undefined && Date.now() < end) {
    if (shutAt() !== undefined && drainedAt === undefined && (await lag().catch(() => 1)) === 0)
      drainedAt = Date.now();
    await lasting(POLL_MS);
  }
  const [shut, opened] = [shutAt(), openedAt()];
  return {
    shutMs: shut && shut - lostAt,
    openMs: opened && Math.max(0, opened - (drainedAt ?? opened)),
    meanwhile: history.of("ok").filter(({ sentAt }) => sentAt >= lostAt && sentAt < (shut ?? Infinity))
      .length,
  };
}
