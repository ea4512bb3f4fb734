import { checkAtRest, checkCommitted, checkStep, hasForgotten } from "./invariants.ts";
import { planChaos } from "./mishaps.ts";
import { createRandom } from "./random.ts";
import { takeOverTimers } from "./scheduler.ts";
import { createWorld, type Plant, type World } from "./world.ts";

const CHAOS_MS = 14_000;
/** Every fault has ended by then; what has not come to rest after another REST_MAX_MS never will. */
const FAULTS_END_MS = 24_000;
const REST_MAX_MS = 90_000;
const STEPS_MAX = 200_000;

export interface Outcome {
  readonly seed: number;
  readonly steps: number;
  /** Why it failed; absent when every invariant held. */
  readonly violation?: string;
  readonly tally: Tally;
  readonly trace: readonly string[];
}
export interface Tally {
  readonly accepted: number;
  readonly unknown: number;
  readonly settled: number;
  readonly killed: number;
  readonly frozen: number;
  readonly redisLost: number;
  readonly redisRolledBack: number;
  /** Sales changed by an administrator. */
  readonly changed: number;
  /** Accepted, then FAILED, though the database could store it: only where Redis had forgotten what it promised. */
  readonly failedAfterAcceptance: number;
}

export interface SimulationOptions {
  readonly plant?: Plant;
  /** Keeps the lines of the trace. */
  readonly keepTrace?: boolean;
}

/** One life of the whole system, decided by its seed alone. */
export async function simulate(
  seed: number,
  { plant = {}, keepTrace = false }: SimulationOptions = {},
): Promise<Outcome> {
  const lines: string[] = [];
  const trace = (line: string) => {
    if (keepTrace) lines.push(line);
  };
  const random = createRandom(seed);
  const world = createWorld({
    random,
    plant,
    trace,
    onCommit: () => {
      committed = true;
    },
  });
  let committed = false;
  const giveBack = takeOverTimers(world.scheduler);
  const { stackTraceLimit } = Error;
  // Thousands of errors are a part of each life; only who looks at one life wants to know where they were made.
  if (!keepTrace) Error.stackTraceLimit = 0;
  let violation: string | undefined;
  try {
    world.start();
    planChaos(world, CHAOS_MS);
    await run(world, () => {
      checkStep(world);
      if (committed) checkCommitted(world);
      committed = false;
    });
    checkAtRest(world);
  } catch (error) {
    violation = error instanceof Error ? (error.stack ?? error.message) : String(error);
    trace(`violation: ${error instanceof Error ? error.message : String(error)}`);
  } finally {
    giveBack();
    Error.stackTraceLimit = stackTraceLimit;
  }
  const { steps } = world.scheduler;
  return {
    seed,
    steps: steps(),
    ...(violation !== undefined && { violation }),
    tally: tallyOf(world),
    trace: lines,
  };
}

async function run(world: World, check: () => void): Promise<void> {
  const { scheduler, network, clients } = world;
  const start = scheduler.now();
  const elapsed = () => scheduler.now() - start;
  scheduler.plan(FAULTS_END_MS, "faults end", () => {
    network.faults.on = false;
    network.faults.away.clear();
    clients.stop();
    for (const process of world.workers.values()) scheduler.thaw(process);
    for (const { process } of world.apis.values()) scheduler.thaw(process);
  });
  while (elapsed() < FAULTS_END_MS + REST_MAX_MS) {
    await scheduler.step();
    check();
    if (elapsed() > FAULTS_END_MS && isAtRest(world)) return;
    if (scheduler.steps() > STEPS_MAX) throw new Error("it never ends");
  }
  throw new Error(`not at rest ${REST_MAX_MS} ms after the last fault: ${restOf(world)}`);
}

function isAtRest(world: World): boolean {
  const { clients, kafka, redis, products, network, mysql } = world;
  if (network.faults.on || !clients.idle() || !kafka.drained()) return false;
  const stock = redis.stock();
  return products.every(
    ({ id }) =>
      stock.leftOf(id) !== undefined &&
      stock.reservedIn(id).length === 0 &&
      stock.unpublishedIn(id).length === 0 &&
      isMended(id),
  );

  /** A Redis that never forgot anything, nor was to change, is right by itself; else the jobs may take their time to mend it. */
  function isMended(id: number): boolean {
    const row = mysql.tables.products.get(id);
    if (!hasForgotten(world) && world.facts.changesAsked === 0) return true;
    return row !== undefined && stock.leftOf(id) === row.stock - row.sold && stock.endOf(id) === row.endTime;
  }
}

function restOf({ clients, kafka, redis, products }: World): string {
  const stock = redis.stock();
  return JSON.stringify({
    clientsIdle: clients.idle(),
    committed: kafka.committed,
    ends: kafka.logs.map(({ length }) => length),
    products: products.map(({ id }) => ({
      left: stock.leftOf(id),
      reserved: stock.reservedIn(id).map(({ orderId }) => orderId),
      unpublished: stock.unpublishedIn(id),
    })),
  });
}

function tallyOf({ clients: { history }, mysql: { tables, refused }, facts }: World): Tally {
  const accepted = new Set(history.flatMap(({ order }) => (order ? [order.orderId] : [])));
  const failed = [...accepted].filter((id) => tables.orders.get(id)?.status === "FAILED" && !refused.has(id));
  const { killed, frozen, redisLost, redisRolledBack, changed } = facts;
  return {
    accepted: accepted.size,
    unknown: history.filter(({ kind }) => kind === "info").length,
    settled: tables.settlements.size,
    killed,
    frozen,
    redisLost,
    redisRolledBack,
    changed,
    failedAfterAcceptance: failed.length,
  };
}
