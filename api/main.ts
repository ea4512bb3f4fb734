import { once } from "node:events";
import type { Admin, Producer } from "kafkajs";
import type { Sequelize } from "sequelize";
import type { Log } from "../shared/domain/ports.ts";
import { createKafka, createProducer } from "../shared/kafka/client.ts";
import { createOrderEvents } from "../shared/kafka/order-events.ts";
import { kafkaProblem } from "../shared/kafka/server-checks.ts";
import { createLifecycle, stopOnSignals, type Lifecycle } from "../shared/lifecycle.ts";
import { createLogger } from "../shared/logger.ts";
import { createRegistry } from "../shared/metrics.ts";
import { createSequelize } from "../shared/mysql/connection.ts";
import { defineModels } from "../shared/mysql/models.ts";
import { createProductRepository } from "../shared/mysql/repositories/product-repository.ts";
import { MIGRATIONS, mysqlProblem } from "../shared/mysql/server-checks.ts";
import { createAttemptLimiter } from "../shared/redis/attempt-limiter.ts";
import { connectRedis, type RedisClient } from "../shared/redis/client.ts";
import { createRedlock } from "../shared/redis/lock.ts";
import { createOrderClaims } from "../shared/redis/order-claims.ts";
import { createRevocationList } from "../shared/redis/revocations.ts";
import { redisProblem } from "../shared/redis/server-checks.ts";
import { createStockStore, markPublished } from "../shared/redis/stock-store.ts";
import { reach, refuseOn, startProgram } from "../shared/start.ts";
import { createApp, type AppDependencies } from "./app.ts";
import { loadApiConfig, type ApiConfig } from "./config.ts";
import { createApiMetrics } from "./metrics.ts";
import { createAuthenticate, createTokenIssuer } from "./middleware/authenticate.ts";
import { createAttemptLimits } from "./middleware/rate-limit.ts";
import { createPasswordHasher } from "./password-hasher.ts";
import { createOrderReader } from "./repositories/order-reader.ts";
import { createSettlementReader } from "./repositories/settlement-reader.ts";
import { createUserRepository } from "./repositories/user-repository.ts";
import { closeHttpServer, createHttpServer } from "./server.ts";
import { createAccountService } from "./services/account-service.ts";
import { createOrderQueryService } from "./services/order-query-service.ts";
import { createOrderService } from "./services/order-service.ts";
import { createProductService } from "./services/product-service.ts";
import { createSettlementService } from "./services/settlement-service.ts";

await startProgram(main);

interface Connections {
  readonly config: Readonly<ApiConfig>;
  readonly log: Log;
  readonly sequelize: Sequelize;
  readonly redis: RedisClient;
  readonly producer: Producer;
  readonly admin: Admin;
}

async function main(): Promise<void> {
  const config = loadApiConfig();
  const log = createLogger("api", config.LOG_LEVEL);
  const lifecycle = createLifecycle(log);
  stopOnSignals(lifecycle, log);
  const app = await wire(await connect(config, log, lifecycle), lifecycle);
  const server = createHttpServer(app.express);
  await reach("PORT", `${config.HOST}:${config.PORT}`, async () => {
    server.listen(config.PORT, config.HOST);
    await once(server, "listening");
  });
  lifecycle.onStop("http", () => {
    app.refuseReadiness();
    return closeHttpServer(server);
  });
  // pm2 with wait_ready: the old process goes only now.
  process.send?.("ready");
  log.info({ port: config.PORT, host: config.HOST }, "taking orders");
}

/** Opens every connection, and refuses to run on servers that would lose what it promises. */
async function connect(config: Readonly<ApiConfig>, log: Log, lifecycle: Lifecycle): Promise<Connections> {
  const sequelize = createSequelize(config);
  lifecycle.onStop("mysql", () => sequelize.close());
  await reach("MYSQL_HOST", "MySQL", () => sequelize.authenticate());

  const redis = await reach("REDIS_URL", "Redis", () =>
    connectRedis({
      url: config.REDIS_URL,
      name: "flashpay-api",
      onError: (error) => {
        log.warn({ err: error }, "redis connection");
      },
    }),
  );
  lifecycle.onStop("redis", () => redis.quit());

  const kafka = createKafka({ clientId: "flashpay-api", brokers: config.KAFKA_BROKERS, log });
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
  return { config, log, sequelize, redis, producer, admin };
}

async function wire(connections: Connections, lifecycle: Lifecycle) {
  const { config, log, sequelize, redis, producer, admin } = connections;
  const now = () => Date.now();
  const registry = createRegistry("api");
  const metrics = createApiMetrics(registry);
  const models = defineModels(sequelize);
  const products = createProductRepository(sequelize, models, now);
  const stock = createStockStore(redis);
  const claims = createOrderClaims(redis, createRedlock(redis, log), log);
  const events = createOrderEvents({
    producer,
    produceTimeoutMs: config.PRODUCE_TIMEOUT_MS,
    log,
    onBatch: metrics.produced,
    onPublished: markPublished(stock, log),
  });
  lifecycle.onStop("order events", () => events.drained());
  const revocations = createRevocationList(redis, config.JWT_EXPIRES_IN * 1_000, log);
  await revocations.start();
  lifecycle.onStop("revocations", () => {
    revocations.stop();
    return Promise.resolve();
  });
  const passwords = createPasswordHasher();
  lifecycle.onStop("password threads", () => passwords.close());

  let stopping = false;
  const express = createApp({
    log,
    registry,
    checks: {
      accepting: () => !stopping,
      mysql: async () => (await sequelize.query("SELECT 1"), true),
      redis: async () => (await redis.ping(), true),
      kafka: async () => (await admin.describeCluster(), events.accepting()),
    },
    authenticate: createAuthenticate(config.JWT_SECRET, revocations),
    accounts: createAccountService({
      users: createUserRepository(models, now),
      passwords,
      tokens: createTokenIssuer(config.JWT_SECRET, config.JWT_EXPIRES_IN),
      revocations,
      attempts: attemptLimits(redis, config),
      log,
    }),
    products: createProductService({ products, stock, log, now }),
    orders: createOrderService({ claims, stock, events, products, log, now, observe: metrics.intake }),
    orderQueries: createOrderQueryService({
      orders: createOrderReader(sequelize),
      claims,
      stock,
      products,
      now,
    }),
    settlements: createSettlementService(createSettlementReader(sequelize)),
    settings: appSettings(config),
  });
  return {
    express,
    refuseReadiness: () => {
      stopping = true;
    },
  };
}

function attemptLimits(redis: RedisClient, config: Readonly<ApiConfig>) {
  return createAttemptLimits({
    account: createAttemptLimiter(redis, "login-account", config.LOGIN_FAILURES_PER_ACCOUNT),
    address: createAttemptLimiter(redis, "login-address", config.LOGIN_FAILURES_PER_ADDRESS),
    signup: createAttemptLimiter(redis, "signup-address", config.LOGIN_FAILURES_PER_ADDRESS),
  });
}

function appSettings(config: Readonly<ApiConfig>): AppDependencies["settings"] {
  return {
    ratePerAddress: config.RATE_LIMIT_PER_ADDRESS,
    orderRatePerUser: config.RATE_LIMIT_ORDERS_PER_USER,
    trustedProxies: config.TRUST_PROXY,
    docs: config.API_DOCS === "on",
    metrics: config.METRICS === "on",
  };
}
