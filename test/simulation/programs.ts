import { createOrderService, type OrderService } from "../../api/services/order-service.ts";
import { changeSale, type SaleWish } from "../../api/services/sale-change.ts";
import { createStockGate } from "../../api/services/stock-gate.ts";
import type {
  DecisionStore,
  Lock,
  Log,
  OrderClaims,
  OrderEvents,
  ProductRepository,
  StockEpochs,
  StockStore,
} from "../../shared/domain/ports.ts";
import type { Product } from "../../shared/domain/product.ts";
import { PRODUCE_SETTLED_MS } from "../../shared/kafka/client.ts";
import { createOrderConsumer, type ConsumerOptions } from "../../shared/kafka/order-consumer.ts";
import { createFakeDecisionNews } from "../../shared/testing/fakes.ts";
import { createOrderPlacedHandler } from "../../worker/handlers/order-placed.ts";
import { activeProducts } from "../../worker/jobs/active-products.ts";
import { createCounterLoader } from "../../worker/jobs/counter-loader.ts";
import { runEvery } from "../../worker/jobs/every.ts";
import { createReconciler } from "../../worker/jobs/reconciler.ts";
import { createSweeper } from "../../worker/jobs/sweeper.ts";
import { SESSION_TIMEOUT_MS, type SimulatedKafka } from "./kafka.ts";
import type { SimulatedMysql } from "./mysql.ts";
import type { Network } from "./network.ts";
import type { Random } from "./random.ts";
import type { SimulatedRedis } from "./redis.ts";
import type { Process, Scheduler } from "./scheduler.ts";

const BACK_OFF_MAX_MS = 2_000;
const ADMIN = { userId: 1, role: "admin", jti: "j", issuedAt: 0, expiresAt: 0 } as const;

export interface ApiPorts {
  readonly claims: OrderClaims;
  readonly stock: StockStore;
  readonly events: OrderEvents;
  /** Any change of Redis in one step, as a script makes it. */
  readonly script: ReturnType<SimulatedRedis["scriptOf"]>;
  readonly redis: SimulatedRedis;
  readonly products: readonly Product[];
}

/** Where a planted bug takes the place of what is right, in the programs. */
export interface ProgramPlant {
  readonly api?: (ports: ApiPorts) => ApiPorts;
  readonly handle?: (handle: ConsumerOptions["handle"]) => ConsumerOptions["handle"];
}

export interface Programs {
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly network: Network;
  readonly mysql: SimulatedMysql;
  readonly redis: SimulatedRedis;
  readonly kafka: SimulatedKafka;
  readonly plant: ProgramPlant;
  readonly products: readonly Product[];
  readonly log: Log;
  /** Called when the reconciler mends counters. */
  readonly onRepair: () => void;
}

export interface RunningApi {
  readonly orders: OrderService;
  /** An administrator's change of a sale. */
  readonly change: (id: number, wish: SaleWish) => Promise<Product>;
}

/** As api/main.ts wires it. */
export function startApi(programs: Programs, process: Process): RunningApi {
  const { mysql, redis, kafka, plant, scheduler, log } = programs;
  const { claims, stock } = redis.portsOf(process);
  const { events } = kafka.portsOf(process, stock);
  const script = redis.scriptOf(process);
  const ports = (plant.api ?? ((same) => same))({
    claims,
    stock,
    events,
    script,
    redis,
    products: programs.products,
  });
  const { products, epochs, sales } = mysql.portsOf(process);
  const observe = () => undefined;
  const gate = createStockGate({ stock: ports.stock, epochs, log, observe });
  // Its timer is the process's.
  scheduler.plan(0, `${process.name} starts`, gate.start, { owner: process });
  const overdue = () => false;
  const { now } = scheduler;
  return {
    orders: createOrderService({ ...ports, stock: gate, overdue, products, log, now, observe }),
    change: (id, wish) => changeSale({ sales, stock: ports.stock, log, now }, ADMIN, id, wish),
  };
}

/**
 * As worker/main.ts wires it, but for the merging of partitions (merge-batches.ts), which only makes batches larger: apart,
 * they meet each other at more points. Starts as the process's own code: its timers are the process's.
 */
export function startWorker(programs: Programs, process: Process): void {
  const { mysql, redis, kafka, scheduler, random, log, plant } = programs;
  const { store, products: repository, epochs } = mysql.portsOf(process);
  const { stock } = redis.portsOf(process);
  const { events, deadLetters, backlog } = kafka.portsOf(process, stock);
  const observe = () => undefined;
  const handle = createOrderPlacedHandler({
    store,
    stock,
    deadLetters,
    news: createFakeDecisionNews(),
    log,
    now: scheduler.now,
    observe,
    backOff: (attempt) => scheduler.sleep(Math.min(100 * 2 ** attempt, BACK_OFF_MAX_MS)),
  });
  const consumer = createOrderConsumer({
    kafka: kafka.clientOf(process),
    sessionTimeoutMs: SESSION_TIMEOUT_MS,
    batchMax: random.between(1, 5),
    log,
    handle: (plant.handle ?? ((same) => same))(handle),
    onDead: () => undefined,
    elapsed: scheduler.now,
  });
  scheduler.plan(0, `${process.name} starts`, run, { owner: process });

  function run(): void {
    void consumer.start();
    startJobs(programs, { repository, stock, store, epochs, events, backlog });
  }
}

interface JobPorts extends Pick<ReturnType<SimulatedKafka["portsOf"]>, "events" | "backlog"> {
  readonly repository: ProductRepository;
  readonly stock: StockStore;
  readonly store: DecisionStore;
  readonly epochs: StockEpochs;
}

function startJobs(programs: Programs, ports: JobPorts): void {
  const { repository, stock, store: ledger, epochs, events, backlog } = ports;
  const { scheduler, log, onRepair } = programs;
  const observe = () => undefined;
  const products = activeProducts(repository, scheduler.now);
  const jobs = [
    createSweeper({ products, stock, events, log, observe }),
    createCounterLoader({
      products,
      stock,
      ledger,
      epochs,
      backlog,
      produceSettledMs: PRODUCE_SETTLED_MS,
      log,
      observe,
      monotonicNow: scheduler.now,
    }),
    createReconciler({
      products,
      stock,
      ledger,
      log,
      observe: (repair) => {
        if (repair !== "ended") onRepair();
      },
    }),
  ];
  const lock = carelessLock(programs);
  for (const job of jobs) runEvery(job, lock, log);
}

/** No safety rests on a job's lock: so here it lets two in, and keeps all out, as it likes. */
function carelessLock({ network, random }: Programs): Lock {
  return {
    tryWith: async (_resource, _ttlMs, work) => {
      if (network.faults.on && random.chance(0.3)) return "busy";
      await work();
      return "ran";
    },
  };
}
