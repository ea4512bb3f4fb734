import { once } from "node:events";
import { openConnections, type Connections } from "../shared/connections.ts";
import type { Log } from "../shared/domain/ports.ts";
import { createOrderEvents } from "../shared/kafka/order-events.ts";
import { createLifecycle, stopOnSignals, type Lifecycle } from "../shared/lifecycle.ts";
import { createLogger } from "../shared/logger.ts";
import { createRegistry } from "../shared/metrics.ts";
import { defineModels } from "../shared/mysql/models.ts";
import { createProductRepository } from "../shared/mysql/repositories/product-repository.ts";
import { createAttemptLimiter } from "../shared/redis/attempt-limiter.ts";
import type { RedisClient } from "../shared/redis/client.ts";
import { createRedlock } from "../shared/redis/lock.ts";
import { createOrderClaims } from "../shared/redis/order-claims.ts";
import { createRevocationList } from "../shared/redis/revocations.ts";
import { createStockStore, markPublished } from "../shared/redis/stock-store.ts";
import { reach, startProgram } from "../shared/start.ts";
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

interface Wiring extends Connections {
  readonly config: Readonly<ApiConfig>;
  readonly log: Log;
}

async function main(): Promise<void> {
  const config = loadApiConfig();
  const log = createLogger("api", config.LOG_LEVEL);
  const lifecycle = createLifecycle(log);
  stopOnSignals(lifecycle, log);
  const connections = await openConnections("flashpay-api", config, log, lifecycle);
  const app = await wire({ ...connections, config, log }, lifecycle);
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

async function wire(wiring: Wiring, lifecycle: Lifecycle) {
  const { config, log, sequelize, redis, producer, admin } = wiring;
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
