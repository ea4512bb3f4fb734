import { once } from "node:events";
import { promisify } from "node:util";
import { openConnections, type Connections } from "../shared/connections.ts";
import type { BacklogWatch, DecisionStore, Log, StockStore, Tracing } from "../shared/domain/ports.ts";
import type { Server } from "node:http";
import type { Sequelize } from "sequelize";
import { produceSettledMs } from "../shared/kafka/client.ts";
import { createFailPoints, type FailPoints } from "../shared/fail-point.ts";
import { createBacklogWatch } from "../shared/kafka/backlog-watch.ts";
import { createDeadLetterTopic } from "../shared/kafka/dead-letter-topic.ts";
import { createOrderConsumer, type OrderConsumer } from "../shared/kafka/order-consumer.ts";
import { createOrderEvents } from "../shared/kafka/order-events.ts";
import { createLifecycle, stopOnSignals, type Lifecycle } from "../shared/lifecycle.ts";
import { createLogger } from "../shared/logger.ts";
import { createRegistry } from "../shared/metrics.ts";
import { defineModels } from "../shared/mysql/models.ts";
import { createProductRepository } from "../shared/mysql/repositories/product-repository.ts";
import { createStockEpochs } from "../shared/mysql/repositories/stock-epochs.ts";
import { createDecisionNews } from "../shared/redis/decision-news.ts";
import { createJobLock, createRedlock } from "../shared/redis/lock.ts";
import { createStockStore, markPublished } from "../shared/redis/stock-store.ts";
import { openTracing } from "../shared/telemetry/tracing.ts";
import { reach, startProgram } from "../shared/start.ts";
import { readWorkerConfig, type WorkerConfig } from "./config.ts";
import { createOrderPlacedHandler } from "./handlers/order-placed.ts";
import { mergeBatches } from "./handlers/merge-batches.ts";
import { createHealthServer } from "./health-server.ts";
import { createInHand, type InHand } from "./in-hand.ts";
import { activeProducts } from "./jobs/active-products.ts";
import { createCounterLoader } from "./jobs/counter-loader.ts";
import { runEvery } from "./jobs/every.ts";
import { createReconciler } from "./jobs/reconciler.ts";
import { createSweeper } from "./jobs/sweeper.ts";
import { createWorkerMetrics, type WorkerMetrics } from "./metrics.ts";
import { createDecisionStore } from "./repositories/decision-store.ts";

/** Longest statement of a batch; two in a row still end before anybody gives up on this worker's stop. */
const STATEMENT_TIMEOUT_MS = 8_000;
/** Products in the metrics: each is a series. */
const PRODUCTS_TOLD_MAX = 100;

await startProgram(main);

interface Wiring extends Connections {
  readonly config: Readonly<WorkerConfig>;
  readonly log: Log;
  readonly tracing: Tracing | undefined;
}

function now(): number {
  return Date.now();
}

async function main(): Promise<void> {
  const { config, tell } = await readWorkerConfig();
  const log = createLogger("worker", config.LOG_LEVEL);
  tell(log);
  const lifecycle = createLifecycle(log);
  const grace = stopOnSignals(lifecycle, log);
  const endpoint = config.OTEL_EXPORTER_OTLP_ENDPOINT;
  const tracing = await openTracing({ program: "worker", endpoint, log, lifecycle });
  const needs = { log, lifecycle, statementTimeoutMs: STATEMENT_TIMEOUT_MS };
  const wiring = { ...(await openConnections("flashpay-worker", config, needs)), config, log, tracing };
  const { sequelize, redis, admin } = wiring;
  const store = openStore(sequelize, createFailPoints(config.FAIL_POINT));
  const stock = createStockStore(redis);
  const backlog = createBacklogWatch(admin);
  const inHand = createInHand(now);
  const registry = createRegistry("worker");
  const metrics = createWorkerMetrics(registry, {
    lag: backlog.lag,
    oldestUndecidedAgeS: inHand.oldestAgeS,
    deadLetters: store.deadLetterCount,
    oldestDeadLetterAt: store.oldestDeadLetterAt,
    unitsLeft: () => unitsLeft(sequelize, stock),
  });
  startJobs(wiring, { store, stock, backlog, metrics }, lifecycle);
  const consumer = createConsumer(wiring, { store, stock, inHand, metrics }, (error) => {
    log.error({ err: error }, "consumption has ended; leaving so that the process is started again");
    process.exitCode = 1;
    grace.close();
  });
  await consumer.start();
  lifecycle.onStop("consumer", () => consumer.stop());

  const server = createHealthServer(config.METRICS === "on" ? registry : undefined, {
    mysql: async () => (await sequelize.query("SELECT 1"), true),
    redis: async () => (await redis.ping(), true),
    kafka: () => consumer.joined(),
  });
  await listen(server, config.WORKER_PORT, config.WORKER_HOST);
  lifecycle.onStop("http", () => {
    const closed = promisify(server.close.bind(server))();
    // Only probes and scrapers are connected: none is worth waiting for.
    server.closeAllConnections();
    return closed;
  });
  log.info({ port: config.WORKER_PORT }, "deciding orders");
}

function openStore(sequelize: Sequelize, failPoints: FailPoints): DecisionStore {
  const store = createDecisionStore(sequelize, () => {
    failPoints.reached("after_order_insert");
  });
  return {
    ...store,
    transaction: async (work) => {
      const result = await store.transaction(work);
      failPoints.reached("after_commit");
      return result;
    },
  };
}

/** Of the newest sales. */
async function unitsLeft(sequelize: Sequelize, stock: StockStore): Promise<ReadonlyMap<number, number>> {
  const products = createProductRepository(sequelize, defineModels(sequelize), now);
  const active = await products.active(now(), 0, PRODUCTS_TOLD_MAX);
  return stock.left(active.map(({ id }) => id));
}

interface Parts {
  readonly store: DecisionStore;
  readonly stock: StockStore;
  readonly metrics: WorkerMetrics;
}

/** Sweeper, counter loader, reconciler: each under its lock, one worker at a time. */
function startJobs(wiring: Wiring, parts: Parts & { backlog: BacklogWatch }, lifecycle: Lifecycle): void {
  const { config, log, sequelize, redis, producer } = wiring;
  const { store, stock, backlog, metrics } = parts;
  const events = createOrderEvents({
    producer,
    produceTimeoutMs: config.PRODUCE_TIMEOUT_MS,
    log,
    onPublished: markPublished(stock, log),
  });
  lifecycle.onStop("order events", () => events.drained());
  const lock = createJobLock(createRedlock(redis, log), log);
  const products = activeProducts(createProductRepository(sequelize, defineModels(sequelize), now), now);
  const monotonicNow = () => performance.now();
  const jobs = [
    createSweeper({ products, stock, events, log, observe: metrics.swept }),
    createCounterLoader({
      ...{ products, stock, ledger: store, backlog, log, monotonicNow },
      epochs: createStockEpochs(sequelize),
      produceSettledMs: produceSettledMs(config),
      observe: metrics.counters,
    }),
    createReconciler({ products, stock, ledger: store, log, observe: metrics.counters }),
  ];
  for (const job of jobs) {
    const running = runEvery(job, lock, log);
    lifecycle.onStop(job.name, () => running.stop());
  }
}

function createConsumer(
  { config, log, tracing, kafka, producer, redis }: Wiring,
  { store, stock, inHand, metrics }: Parts & { inHand: InHand },
  onDead: (error: Error) => void,
): OrderConsumer {
  const deadLetters = createDeadLetterTopic(producer, now);
  const news = createDecisionNews(redis);
  const handle = mergeBatches(
    createOrderPlacedHandler({
      ...{ store, stock, deadLetters, news, log, tracing, now, observe: metrics.batch },
      tellsEach: config.LOG_LEVEL === "debug" || config.LOG_LEVEL === "trace",
    }),
    config.WORKER_BATCH_MAX,
  );
  return createOrderConsumer({
    kafka,
    sessionTimeoutMs: config.WORKER_SESSION_TIMEOUT_MS,
    batchMax: config.WORKER_BATCH_MAX,
    log,
    handle: (messages, mine) =>
      inHand.while(messages[0]?.partition ?? 0, messages, () => handle(messages, mine)),
    onDead,
  });
}

async function listen(server: Server, port: number, host: string): Promise<void> {
  await reach("WORKER_PORT", `${host}:${port}`, async () => {
    server.listen(port, host);
    await once(server, "listening");
  });
}
