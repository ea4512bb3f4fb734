import { setTimeout as delay } from "node:timers/promises";
import type { Redis } from "ioredis";
import { StackFailure } from "../stack/failure.ts";
import { cpuFigures, machineFigures } from "./figures.ts";
import { startClient } from "./load.ts";
import type { Bench } from "./bench-run.ts";
import { planOf, type Round } from "./order-round.ts";
import type { RunningTarget, Target } from "./targets/target.ts";
import { watch } from "./watch.ts";

const CONNECTIONS = 64;
const TAKE_SECONDS_MAX = 3_000;
const DRAIN_DEADLINE_MS = 900_000;
const POLL_MS = 20;
/** No worker decides meanwhile, however long that takes. */
const SETTINGS = { UNDECIDED_AGE_MAX: "3600" };

/** Orders are taken while no worker runs; then one is started, and what it settles in a second is counted. */
export async function drainRound(bench: Bench, target: Target, orders: number): Promise<Round> {
  const { site, onProgress } = bench;
  onProgress(`${target.name}: starting`);
  const running = await target.start({ apis: 1, workers: 0, settings: SETTINGS });
  try {
    const productIds = await running.openSales(1, orders);
    const empty = await usedBytes(site.redis);
    const accepted = await take(bench, target.name, running, productIds, orders);
    const undecided = await usedBytes(site.redis);
    onProgress(`${target.name}: draining ${accepted} orders`);
    await running.startWorkers(1);
    const watching = watch({ roles: { ...running.roles, ...site.roles }, lag: () => Promise.resolve(0) });
    const drained = await drain(running, productIds, accepted);
    const watched = await watching.stop();
    const { succeeded, failed } = await running.decisions(productIds);
    const broken = await running.verify();
    const decided = await usedBytes(site.redis);
    return {
      figures: {
        ...{ accepted, settled: succeeded, failed, drained_per_s: drained },
        redis_bytes_per_undecided: (undecided - empty) / accepted,
        redis_bytes_per_decided: (decided - empty) / accepted,
        ...cpuFigures(watched.cpuMs, "order", accepted),
        ...machineFigures(watched.othersPart, watched.rssMib),
        ...(broken && { verify_broken: broken.length }),
      },
      outcomes: {},
      complaints: [
        ...(succeeded === accepted ? [] : [`${accepted} orders were accepted, ${succeeded} are settled`]),
        ...(failed > 0 ? [`${failed} accepted orders FAILED`] : []),
        ...(broken ?? []).map((rule) => `verify: ${rule}`),
      ],
    };
  } finally {
    await running.stop();
  }
}

async function take(
  { buyers, onProgress }: Bench,
  name: string,
  running: RunningTarget,
  productIds: readonly number[],
  count: number,
): Promise<number> {
  const pace = { kind: "closed", seconds: TAKE_SECONDS_MAX } as const;
  const client = await startClient(
    planOf(running, productIds, buyers, { connections: CONNECTIONS, pace, count, first: 0 }),
  );
  const telling = setInterval(() => {
    onProgress(`${name}: ${client.progress().accepted} orders wait`);
  }, 1_000);
  const { accepted } = await client.run();
  clearInterval(telling);
  await client.end();
  return accepted;
}

/** Settled in a second, from the first settlement that was seen to the last. */
async function drain(
  running: RunningTarget,
  productIds: readonly number[],
  accepted: number,
): Promise<number> {
  let first: { settled: number; at: number } | undefined;
  const deadline = performance.now() + DRAIN_DEADLINE_MS;
  while (performance.now() < deadline) {
    const settled = await running.settled(productIds);
    const at = performance.now();
    if (settled > 0) first ??= { settled, at };
    if (first && settled >= accepted) {
      if (at > first.at) return ((settled - first.settled) / (at - first.at)) * 1_000;
      return settled; // all in the first look: too few to tell a rate
    }
    await delay(POLL_MS);
  }
  throw new StackFailure(`The worker did not settle ${accepted} orders in time.`);
}

async function usedBytes(redis: Redis): Promise<number> {
  return Number(/^used_memory:(\d+)/m.exec(await redis.info("memory"))?.[1]);
}
