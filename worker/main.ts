import { once } from "node:events";
import { promisify } from "node:util";
import type { Server } from "node:http";
import { createKafka, createProducer, PRODUCE_SETTLED_MS } from "../shared/kafka/client.ts";
import { createBacklogWatch } from "../shared/kafka/backlog-watch.ts";
import { createDeadLetterTopic } from "../shared/kafka/dead-letter-topic.ts";
import { createOrderConsumer } from "../shared/kafka/order-consumer.ts";
import { createOrderEvents } from "../shared/kafka/order-events.ts";
import { kafkaProblem } from "../shared/kafka/server-checks.ts";
import { createLifecycle, stopOnSignals } from "../shared/lifecycle.ts";
import { createLogger } from "../shared/logger.ts";
import { createRegistry } from "../shared/metrics.ts";
import { createSequelize } from "../shared/mysql/connection.ts";
import { defineModels } from "../shared/mysql/models.ts";
import { createProductRepository } from "../shared/mysql/repositories/product-repository.ts";
import { MIGRATIONS, mysqlProblem } from "../shared/mysql/server-checks.ts";
import { connectRedis } from "../shared/redis/client.ts";
import { createJobLock, createRedlock } from "../shared/redis/lock.ts";
import { redisProblem } from "../shared/redis/server-checks.ts";
import { createStockStore } from "../shared/redis/stock-store.ts";
import { reach, refuseOn, startProgram } from "../shared/start.ts";
import { loadWorkerConfig } from "./config.ts";
import { createOrderPlacedHandler } from "./handlers/order-placed.ts";
import { createHealthServer } from "./health-server.ts";
import { createInHand } from "./in-hand.ts";
import { activeProducts } from "./jobs/active-products.ts";
import { createCounterLoader } from "./jobs/counter-loader.ts";
import { runEvery } from "./jobs/every.ts";
import { createReconciler } from "./jobs/reconciler.ts";
import { createSweeper } from "./jobs/sweeper.ts";
import { createWorkerMetrics } from "./metrics.ts";
import { createDecisionStore } from "./repositories/decision-store.ts";

await startProgram(main);

async function main(): Promise<void> {
  const config = loadWorkerConfig();
  const log = createLogger("worker", config.LOG_LEVEL);
  const lifecycle = createLifecycle(log);
  const grace = stopOnSignals(lifecycle, log);
  const now = () => Date.now();

  const sequelize = createSequelize(config);
  lifecycle.onStop("mysql", () => sequelize.close());
  await reach("MYSQL_HOST", "MySQL", () => sequelize.authenticate());

  const redis = await reach("REDIS_URL", "Redis", () =>
    connectRedis({
      url: config.REDIS_URL,
      name: "flashpay-worker",
      onError: (error) => {
        log.warn({ err: error }, "redis connection");
      },
    }),
  );
  lifecycle.onStop("redis", () => redis.quit());

  const kafka = createKafka({ clientId: "flashpay-worker", brokers: config.KAFKA_BROKERS, log });
  const producer = createProducer(kafka);
  await reach("KAFKA_BROKERS", "Kafka", () => producer.connect());
  lifecycle.onStop("kafka producer", () => producer.disconnect());
  const admin = kafka.admin();
  await admin.connect();
  lifecycle.onStop("kafka admin", () => admin.disconnect());

  await refuseOn(
    () => mysqlProblem(sequelize, MIGRATIONS),
    () => redisProblem(redis, config.NODE_ENV === "production"),
    () => kafkaProblem(admin, config.KAFKA_TOPIC_REPLICATION),
  );

  const store = createDecisionStore(sequelize);
  const stock = createStockStore(redis);
  const backlog = createBacklogWatch(admin);
  const inHand = createInHand(now);
  const registry = createRegistry("worker");
  const metrics = createWorkerMetrics(registry, {
    lag: backlog.lag,
    oldestUndecidedAgeS: inHand.oldestAgeS,
    deadLetters: store.deadLetterCount,
  });

  const events = createOrderEvents({
    producer,
    produceTimeoutMs: config.PRODUCE_TIMEOUT_MS,
    log,
    onPublished: (orders) => {
      stock.markPublished(orders).catch((error: unknown) => {
        log.debug({ err: error }, "not marked as published; the sweeper hands these over again");
      });
    },
  });
  lifecycle.onStop("order events", () => events.drained());

  const lock = createJobLock(createRedlock(redis, log), log);
  const products = activeProducts(createProductRepository(sequelize, defineModels(sequelize), now), now);
  const jobs = [
    createSweeper({ products, stock, events, log, observe: metrics.swept }),
    createCounterLoader({
      products,
      stock,
      store,
      backlog,
      produceSettledMs: PRODUCE_SETTLED_MS,
      log,
      monotonicNow: () => performance.now(),
    }),
    createReconciler({ products, stock, store, log }),
  ];
  for (const job of jobs) {
    const running = runEvery(job, lock, log);
    lifecycle.onStop(job.name, () => running.stop());
  }

  const handle = createOrderPlacedHandler({
    store,
    stock,
    deadLetters: createDeadLetterTopic(producer, now),
    log,
    now,
    observe: metrics.batch,
  });
  const consumer = createOrderConsumer({
    kafka,
    batchMax: config.WORKER_BATCH_MAX,
    log,
    handle: (messages, mine) =>
      inHand.while(messages[0]?.partition ?? 0, messages, () => handle(messages, mine)),
    onDead: (error) => {
      log.error({ err: error }, "consumption has ended; leaving so that the process is started again");
      process.exitCode = 1;
      grace.close();
    },
  });
  await consumer.start();
  lifecycle.onStop("consumer", () => consumer.stop());

  const server = createHealthServer(registry, {
    mysql: async () => (await sequelize.query("SELECT 1"), true),
    redis: async () => (await redis.ping(), true),
    kafka: () => consumer.joined(),
  });
  await listen(server, config.WORKER_PORT, config.WORKER_HOST);
  lifecycle.onStop("http", promisify(server.close.bind(server)));
  log.info({ port: config.WORKER_PORT }, "deciding orders");
}

async function listen(server: Server, port: number, host: string): Promise<void> {
  await reach("WORKER_PORT", `${host}:${port}`, async () => {
    server.listen(port, host);
    await once(server, "listening");
  });
}
