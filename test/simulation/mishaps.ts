import { DomainError } from "../../shared/domain/errors.ts";
import type { Wish } from "./clients.ts";
import type { Process } from "./scheduler.ts";
import { SESSION_TIMEOUT_MS } from "./kafka.ts";
import { pagesOf } from "./redis.ts";
import type { Server } from "./network.ts";
import { USERS, type World } from "./world.ts";

const MISHAPS_MAX = 10;
const CHANGES_MAX = 4;
const END_AHEAD_MAX_MS = 3_000;
const ADDED_MAX = 3;
const DOWN_MAX_MS = 5_000;
const FROZEN_MAX_MS = 25_000;
const AWAY_MAX_MS = 8_000;
const SNAPSHOT_BEFORE_MS = 500;
const REPLICA_LAG_MAX_MS = 1_500;
const FILE_AGE_MAX_MS = 9_000;
const LATE_WISHES_MAX = 8;
const WISHES_MAX = 24;
const REFUSE_EVERY_MS = 2_000;
const SERVERS: readonly Server[] = ["mysql", "redis", "kafka"];
const POISON = ["", "{", "null", "[]", '{"v":2}'];

/** Draws what buyers want and what goes wrong, all of it within the first `forMs`. */
export function planChaos(world: World, forMs: number): void {
  const { random, scheduler } = world;
  // Else the API died right after it stored the products.
  if (random.chance(0.85)) scheduler.plan(0, "the counters are loaded", () => void loadCounters(world));
  const rushAt = planWishes(world, forMs);
  if (random.chance(0.4))
    for (let n = 0; n < forMs; n += REFUSE_EVERY_MS)
      scheduler.plan(n, "mysql refuses a row", () => {
        refuseOne(world);
      });
  // One seed in six each: what may be told to buyers then is less.
  if (random.chance(1 / 6)) planAt("redis loses everything", loseRedis);
  for (let n = random.chance(1 / 3) ? random.between(1, CHANGES_MAX) : 0; n > 0; n -= 1)
    planAt("an administrator changes a sale", changeOne);
  if (random.chance(1 / 6)) planSnapshot(world, Math.max(0, rushAt - random.below(SNAPSHOT_BEFORE_MS)));
  const kinds = [killOne, killOne, freezeOne, serverAway, poison, rewind, rebalance] as const;
  for (let n = random.below(MISHAPS_MAX + 1); n > 0; n -= 1) planAt("mishap", random.pick(kinds));

  function planAt(what: string, happen: (world: World) => void): void {
    scheduler.plan(random.below(forMs), what, () => {
      happen(world);
    });
  }
}

async function loadCounters({ redis, products }: World): Promise<void> {
  for (const product of products) await redis.stock().load({ product, bought: pagesOf([]), epoch: 1 });
}

/** @returns when most of the buyers come */
function planWishes(world: World, forMs: number): number {
  const { random, clients } = world;
  // A sale has its rush: most of them want the same thing at the same time.
  const rushAt = random.below(forMs);
  for (let n = random.between(4, WISHES_MAX); n > 0; n -= 1) {
    const at = random.chance(0.6) ? rushAt + random.below(60) : random.below(forMs);
    clients.want(drawWish(world), at);
  }
  return rushAt;
}

function drawWish({ random, products }: World): Wish {
  const product = random.pick(products);
  const quantity = random.chance(0.7) ? 1 : random.between(1, Math.min(3, product.perUserLimit));
  const key = random.chance(0.5) ? { idempotencyKey: `key-of-sixteen-${random.below(6)}-${quantity}` } : {};
  return { userId: random.between(1, USERS), productId: product.id, quantity, ...key };
}

function processes({ apis, workers }: World): Process[] {
  const all = [...[...apis.values()].map(({ process }) => process), ...workers.values()];
  return all.filter(({ alive, frozen }) => alive && !frozen);
}

function killOne(world: World): void {
  const all = processes(world);
  if (all.length > 0) world.kill(world.random.pick(all), world.random.between(200, DOWN_MAX_MS));
}

/** Ends a sale earlier, or adds units to it, through an API that may die of it. */
function changeOne({ random, scheduler, apis, mysql: { tables }, facts, clients, trace }: World): void {
  const running = [...apis.values()].filter(({ process }) => !process.frozen);
  if (running.length === 0) return;
  const { process, change } = random.pick(running);
  const { id, stock } = random.pick([...tables.products.values()]);
  const endTime = random.chance(0.5) ? ("now" as const) : scheduler.now() + random.below(END_AHEAD_MAX_MS);
  const wish = random.chance(0.5) ? { endTime } : { stock: stock + random.between(1, ADDED_MAX) };
  facts.changesAsked += 1;
  const ask = async (): Promise<void> => {
    try {
      await change(id, wish);
      facts.changed += 1;
    } catch (error) {
      if (!(error instanceof DomainError)) clients.unexpected.push(error);
      trace(`         the administrator heard ${error instanceof DomainError ? error.code : "internal"}`);
    }
  };
  const what = `${process.name} changes ${id}: ${JSON.stringify(wish)}`;
  scheduler.plan(0, what, () => void ask(), { owner: process });
}

/** SIGSTOP and, later, SIGCONT: meanwhile the group may give its partitions away, and then it is a zombie. */
function freezeOne(world: World): void {
  const { random, scheduler, kafka, facts, trace } = world;
  const all = processes(world);
  if (all.length === 0) return;
  const process = random.pick(all);
  const forMs = random.between(100, FROZEN_MAX_MS);
  facts.frozen += 1;
  trace(`         ${process.name} is frozen for ${forMs} ms`);
  scheduler.freeze(process);
  if (forMs > SESSION_TIMEOUT_MS && world.workers.get(process.name) === process)
    scheduler.plan(SESSION_TIMEOUT_MS, `kafka misses ${process.name}`, () => {
      kafka.expel(process);
    });
  scheduler.plan(forMs, `${process.name} goes on`, () => {
    scheduler.thaw(process);
  });
}

function serverAway({ random, scheduler, network: { faults }, trace }: World): void {
  const server = random.pick(SERVERS);
  trace(`         ${server} is away`);
  faults.away.add(server);
  scheduler.plan(random.between(100, AWAY_MAX_MS), `${server} is back`, () => {
    faults.away.delete(server);
  });
}

function loseRedis({ redis, facts }: World): void {
  facts.redisLost += 1;
  redis.loseEverything();
}

/** A file from before the rush, or a replica that lags behind, takes Redis' place after it. */
function planSnapshot(world: World, atMs: number): void {
  const { random, scheduler, redis, facts, clients } = world;
  scheduler.plan(atMs, "redis writes a snapshot", () => {
    const putBack = redis.rememberState(random.pick(["all", "products only"]));
    const ageMs = random.below(random.chance(0.5) ? REPLICA_LAG_MAX_MS : FILE_AGE_MAX_MS);
    scheduler.plan(ageMs, `redis goes back ${ageMs} ms`, () => {
      facts.redisRolledBack += 1;
      putBack();
      // There seem to be units left again: who is late tries his luck.
      for (let n = random.below(LATE_WISHES_MAX + 1); n > 0; n -= 1)
        clients.want(drawWish(world), random.below(REPLICA_LAG_MAX_MS));
    });
  });
}

function poison({ random, kafka, facts }: World): void {
  facts.poisoned += 1;
  kafka.append(`poison-${facts.poisoned}`, random.pick(POISON));
}

/** An order that holds units and that the database will not store, whatever the reason. */
function refuseOne({ random, redis, products, mysql: { refused, tables } }: World): void {
  const undecided = products
    .flatMap(({ id }) => redis.stock().reservedIn(id))
    .filter(({ orderId }) => !tables.orders.has(orderId));
  if (undecided.length > 0) refused.add(random.pick(undecided).orderId);
}

function rewind({ kafka }: World): void {
  kafka.rewind();
}

function rebalance({ kafka }: World): void {
  kafka.rebalance();
}
