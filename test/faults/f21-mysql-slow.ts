import { readFileSync } from "node:fs";
import type { Measured, RunOptions, WorldFailure } from "./failure.ts";
import { decidingAgainMs, longestStandstillMs } from "./measure.ts";
import { during, underLoad, type Outage } from "./outage.ts";
import type { World, WorldWish } from "./world.ts";

const FROZEN_MS = 20_000;
const FROZEN_BRIEF_MS = 6_000;
const SLOW_MS = 60_000;
const SLOW_BRIEF_MS = 8_000;
const LATENCY = { delayMs: 300, jitterMs: 200 };
/** What a program says at `info` whenever its group was divided anew. */
const JOINED = /joined the group/g;
const WORLD = { apis: 1, workers: 2, settings: { LOG_LEVEL: "info" } } satisfies WorldWish;

export const f21a: WorldFailure = {
  id: "F21a",
  title: "MySQL frozen for twenty seconds",
  objective: { what: "orders are decided again", ms: 10_000 },
  world: WORLD,
  run: (world, options) =>
    slowly(world, options, {
      outageMs: options.brief ? FROZEN_BRIEF_MS : FROZEN_MS,
      begin: () => {
        world.servers.mysql.kill("SIGSTOP");
      },
      end: () => {
        world.servers.mysql.kill("SIGCONT");
      },
      recoveryMs: (rows, { to }) => decidingAgainMs(rows, to),
    }),
};

export const f21b: WorldFailure = {
  id: "F21b",
  title: "MySQL answers 300 ± 200 ms late",
  objective: { what: "some order is decided", ms: 10_000 },
  world: { ...WORLD, through: { worker: ["mysql"] } },
  run: (world, options) =>
    slowly(world, options, {
      outageMs: options.brief ? SLOW_BRIEF_MS : SLOW_MS,
      begin: () => {
        world.proxy("worker", "mysql").set("down", LATENCY);
      },
      end: () => {
        world.proxy("worker", "mysql").pass();
      },
      recoveryMs: longestStandstillMs,
    }),
};

interface Slowness {
  readonly outageMs: number;
  readonly begin: () => void;
  readonly end: () => void;
  readonly recoveryMs: (
    rows: Parameters<typeof longestStandstillMs>[0],
    outage: Outage,
  ) => number | undefined;
}

/** A slow database is no reason to divide the group anew, nor to call an order bad. */
async function slowly(
  world: World,
  { orders }: RunOptions,
  { outageMs, begin, end, recoveryMs }: Slowness,
): Promise<Measured> {
  const before = joins(world);
  const outage = await underLoad(world, { orders, outageMs }, () => during(outageMs, begin, end));
  const rebalances = joins(world) - before;
  return {
    figures: { rebalances },
    misses: rebalances > 0 ? [`the group was divided anew: workers joined ${rebalances} times`] : [],
    recovery: (rows) => ({ recoveryMs: recoveryMs(rows, outage) }),
  };
}

function joins({ home, workers }: World): number {
  return workers.reduce(
    (sum, { name }) => sum + (readFileSync(home.log(name), "utf8").match(JOINED)?.length ?? 0),
    0,
  );
}
