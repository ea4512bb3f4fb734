import type { Log } from "../../shared/domain/ports.ts";
import type { Product } from "../../shared/domain/product.ts";
import { orderIdOf, SALE_START, sampleProduct, sampleUser } from "../../shared/testing/samples.ts";
import { createClients, type Running } from "./clients.ts";
import { createSimulatedKafka } from "./kafka.ts";
import { createSimulatedMysql } from "./mysql.ts";
import { createNetwork } from "./network.ts";
import { startApi, startWorker, type ProgramPlant } from "./programs.ts";
import type { Random } from "./random.ts";
import { createSimulatedRedis, type Scripts } from "./redis.ts";
import { createScheduler, type Process } from "./scheduler.ts";

export const USERS = 4;
const APIS = 2;
const WORKERS = 2;
const SHORT_SALE_MS = 15_000;

/** Where a planted bug takes the place of what is right. */
export interface Plant extends ProgramPlant {
  readonly scripts?: (products: readonly Product[]) => Scripts;
}

export interface WorldOptions {
  readonly random: Random;
  readonly plant: Plant;
  readonly trace: (line: string) => void;
  /** Called after every COMMIT. */
  readonly onCommit: () => void;
}
export type World = ReturnType<typeof createWorld>;

/** Everything there is: servers, programs, buyers, and what is known of them. */
export function createWorld({ random, plant, trace, onCommit }: WorldOptions) {
  const scheduler = createScheduler({ random, start: SALE_START, trace });
  const network = createNetwork(scheduler, random, trace);
  const products = Array.from({ length: random.between(1, 2) }, (_, i) => drawProduct(random, i + 1));
  const mysql = createSimulatedMysql({ scheduler, random, network, onCommit }, scheduler.now);
  for (const product of products) mysql.tables.products.set(product.id, product);
  for (let id = 1; id <= USERS; id += 1) mysql.tables.users.set(id, sampleUser(id));
  let orders = 0;
  const redis = createSimulatedRedis({
    network,
    now: scheduler.now,
    newOrderId: () => orderIdOf((orders += 1)),
    scripts: plant.scripts?.(products) ?? (() => ({})),
  });
  const kafka = createSimulatedKafka({ scheduler, random, network });
  const log = traceLog(trace);
  const onRepair = () => void (facts.repaired += 1);
  const programs = { scheduler, random, network, mysql, redis, kafka, plant, products, log, onRepair };
  const apis = new Map<string, Running>();
  const workers = new Map<string, Process>();
  const clients = createClients({ scheduler, random, trace, apis: () => [...apis.values()] });
  /** What happened that the invariants have to know of. */
  const facts = {
    ...{ redisLost: 0, redisRolledBack: 0, repaired: 0, poisoned: 0, frozen: 0, killed: 0 },
    ...{ changesAsked: 0, changed: 0 },
  };
  return {
    scheduler,
    random,
    network,
    mysql,
    redis,
    kafka,
    clients,
    products,
    facts,
    apis,
    workers,
    start,
    kill,
    trace,
  };

  function start(): void {
    for (let n = 1; n <= APIS; n += 1) startOne(`api-${n}`);
    for (let n = 1; n <= WORKERS; n += 1) startOne(`worker-${n}`);
  }

  function startOne(name: string): void {
    const process: Process = { name, alive: true, frozen: false };
    if (name.startsWith("api")) apis.set(name, { process, ...startApi(programs, process) });
    else {
      workers.set(name, process);
      startWorker(programs, process);
    }
  }

  /** SIGKILL; another incarnation comes up after a while. */
  function kill(process: Process, downMs: number): void {
    const { name } = process;
    facts.killed += 1;
    scheduler.kill(process);
    mysql.disconnect(process);
    apis.delete(name);
    if (workers.delete(name)) {
      scheduler.plan(random.between(0, downMs), `kafka misses ${name}`, () => {
        kafka.expel(process);
      });
    }
    scheduler.plan(downMs, `${name} starts again`, () => {
      startOne(name);
    });
  }
}

function drawProduct(random: Random, id: number): Product {
  const short = random.chance(0.2) ? { endTime: SALE_START + SHORT_SALE_MS } : {};
  return sampleProduct({ id, stock: random.between(1, 6), perUserLimit: random.between(1, 4), ...short });
}

function traceLog(trace: (line: string) => void): Log {
  const at = (level: string) => (fields: object, message: string) => {
    const { err, ...rest } = fields as { err?: unknown };
    const cause = err instanceof Error ? ` (${err.message})` : "";
    trace(`         ${level}: ${message}${cause} ${JSON.stringify(rest)}`);
  };
  return { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
}
