import { createHmac, createSecretKey, randomUUID } from "node:crypto";
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { openConnections, type Connections } from "../shared/connections.ts";
import { createConsistency } from "../shared/domain/consistency.ts";
import type { Revocations, StockEpochs, StockStore, Tracing } from "../shared/domain/ports.ts";
import { createFailPoints } from "../shared/fail-point.ts";
import { createBacklogWatch } from "../shared/kafka/backlog-watch.ts";
import { createDeadLetterReplay } from "../shared/kafka/dead-letter-replay.ts";
import { createOrderEvents } from "../shared/kafka/order-events.ts";
import { createLifecycle, stopOnSignals, type Lifecycle } from "../shared/lifecycle.ts";
import { createLogger, type ProgramLog } from "../shared/logger.ts";
import { createRegistry } from "../shared/metrics.ts";
import { createSequelize } from "../shared/mysql/connection.ts";
import { createInvariantReader } from "../shared/mysql/invariant-reader.ts";
import { defineModels } from "../shared/mysql/models.ts";
import { createLedger } from "../shared/mysql/repositories/ledger.ts";
import { createProductRepository } from "../shared/mysql/repositories/product-repository.ts";
import { createStockEpochs } from "../shared/mysql/repositories/stock-epochs.ts";
import { createRateLimit } from "../shared/rate-limit.ts";
import { createReadiness } from "../shared/readiness.ts";
import { createAttemptLimiter, createSharedCount } from "../shared/redis/attempt-limiter.ts";
import { followDecisionNews } from "../shared/redis/decision-news.ts";
import { createIntakeCounts } from "../shared/redis/intake-counts.ts";
import { createKnownAddresses } from "../shared/redis/known-addresses.ts";
import { createOrderClaims } from "../shared/redis/order-claims.ts";
import { createRevocationList } from "../shared/redis/revocations.ts";
import { createStockAudit } from "../shared/redis/stock-audit.ts";
import { createStockStore, markPublished } from "../shared/redis/stock-store.ts";
import { openTracing } from "../shared/telemetry/tracing.ts";
import { reach, startProgram } from "../shared/start.ts";
import { createApp, type AppDependencies } from "./app.ts";
import { readApiConfig, type ApiConfig } from "./config.ts";
import { createLoadWatch } from "./load-watch.ts";
import { createApiMetrics, type ApiMetrics } from "./metrics.ts";
import { createAuthenticate, createTokenIssuer } from "./middleware/authenticate.ts";
import { createAttemptLimits } from "./middleware/login-limits.ts";
import { createPasswordHasher } from "./password-hasher.ts";
import { createAuditTrail } from "./repositories/audit-trail.ts";
import { createDeadLetterStore } from "./repositories/dead-letter-store.ts";
import { createLiveReader } from "./repositories/live-reader.ts";
import { createOrderReader } from "./repositories/order-reader.ts";
import { createSaleStore } from "./repositories/sale-store.ts";
import { createSettlementReader } from "./repositories/settlement-reader.ts";
import { createSettlementSnapshots } from "./repositories/settlement-snapshots.ts";
import { createUserRepository } from "./repositories/user-repository.ts";
import { closeHttpServer, createHttpServer } from "./server.ts";
import { PAGES_FOLDER } from "./static-pages.ts";
import { createAccountService } from "./services/account-service.ts";
import { createBacklogGuard } from "./services/backlog-guard.ts";
import { createConsistencyService } from "./services/consistency-service.ts";
import { createDeadLetterService } from "./services/dead-letter-service.ts";
import { createIntakeTally } from "./services/intake-tally.ts";
import { createLiveStreams, type LiveStreams } from "./services/live-streams.ts";
import { createLiveView } from "./services/live-view.ts";
import { createOrderQueryService } from "./services/order-query-service.ts";
import {
  createOrderStreams,
  type OrderStreams,
  type OrderStreamsDependencies,
} from "./services/order-streams.ts";
import { createOrderService, type IntakeOutcome } from "./services/order-service.ts";
import { createProductService } from "./services/product-service.ts";
import { createReconcileService } from "./services/reconcile-service.ts";
import { createReportService, REPORTS_AT_ONCE_MAX } from "./services/report-service.ts";
import { createSettlementService } from "./services/settlement-service.ts";
import { createStockGate } from "./services/stock-gate.ts";

/** A reader would rather hear not_ready. */
const STATEMENT_TIMEOUT_MS = 3_000;

/** Above what 3 million orders take; a proxy in front must wait as long. */
const CONSISTENCY_DEADLINE_MS = 110_000;

/** For one sum over tens of millions of settlements. */
const REPORT_STATEMENT_MAX_MS = 110_000;

/** After each hundred rows of an export, at least as long as they took: orders come first, and more so on a busy machine. */
const REPORT_REST_MIN_MS = 4;
/** Three million rows stay within the time that a report may take. */
const REPORT_REST_MAX_MS = 12;

/** Of PASSWORDS_PER_ADDRESS. Short: who logs in before a sale must not wait a minute for what a neighbour did. */
const PASSWORDS_WINDOW_S = 10;

await startProgram(main);

interface Wiring extends Connections {
  readonly config: Readonly<ApiConfig>;
  readonly log: ProgramLog;
  readonly tracing: Tracing | undefined;
}

async function main(): Promise<void> {
  const { config, tell } = await readApiConfig();
  const log = createLogger("api", config.LOG_LEVEL);
  tell(log);
  const lifecycle = createLifecycle(log);
  stopOnSignals(lifecycle, log);
  const endpoint = config.OTEL_EXPORTER_OTLP_ENDPOINT;
  const tracing = await openTracing({ program: "api", endpoint, log, lifecycle });
  const needs = { log, lifecycle, statementTimeoutMs: STATEMENT_TIMEOUT_MS };
  const connections = await openConnections("flashpay-api", config, needs);
  const app = await wire({ ...connections, config, log, tracing }, lifecycle);
  const server = createHttpServer(app.express);
  await reach("PORT", `${config.HOST}:${config.PORT}`, async () => {
    server.listen(config.PORT, config.HOST);
    await once(server, "listening");
  });
  lifecycle.onStop("http", async () => {
    // First: a stream would hold its connection until the deadline.
    await app.endStreams();
    app.refuseReadiness();
    return closeHttpServer(server);
  });
  // pm2 with wait_ready: the old process goes only now.
  process.send?.("ready");
  log.info({ port: config.PORT, host: config.HOST }, "taking orders");
}

async function wire(wiring: Wiring, lifecycle: Lifecycle) {
  const { config, log, tracing, sequelize, redis } = wiring;
  const now = () => Date.now();
  const registry = createRegistry("api");
  const metrics = createApiMetrics(registry);
  const models = defineModels(sequelize);
  const products = createProductRepository(sequelize, models, now);
  const stock = createStockStore(redis);
  const epochs = createStockEpochs(sequelize);
  const claims = createOrderClaims(redis);
  const intake = openIntake(wiring, { stock, epochs, metrics }, lifecycle);
  const revocations = await openRevocations(wiring, lifecycle);
  const orders = createOrderReader(sequelize);
  const orderStreams = openStreams(wiring, { orders, revocations });
  const live = openLive(wiring, revocations);
  const passwords = createPasswordHasher(config.PASSWORD_QUEUE_MAX);
  lifecycle.onStop("password threads", () => passwords.close());

  let stopping = false;
  const express = createApp({
    log,
    requests: log.plain,
    tracing,
    registry,
    readiness: watchServers(wiring, intake.events, () => !stopping),
    authenticate: createAuthenticate(config.JWT_SECRET, revocations, config.JWT_SECRET_PREVIOUS),
    accounts: createAccountService({
      users: createUserRepository(models, now),
      passwords,
      tokens: createTokenIssuer(config.JWT_SECRET, config.JWT_EXPIRES_IN),
      revocations,
      attempts: attemptLimits(wiring),
      disguise: disguiseBy(config.JWT_SECRET),
      now,
      log,
    }),
    products: createProductService({
      ...{ products, stock, epochs, log, now },
      sales: createSaleStore(sequelize, now),
    }),
    orders: createOrderService({ claims, products, log, tracing, now, ...intake }),
    orderStreams,
    orderQueries: createOrderQueryService({
      orders,
      claims,
      stock,
      products,
      now,
    }),
    settlements: createSettlementService(createSettlementReader(sequelize), config.REPORT_TIME_ZONE),
    reports: wireReports(wiring, now, lifecycle),
    ...administration(wiring, now),
    live,
    consistency: createConsistencyService({ consistency: wireConsistency(wiring, lifecycle), products, now }),
    limits: requestLimits(wiring, metrics),
    load: watchLoad(wiring, metrics, lifecycle),
    settings: appSettings(config),
  });
  return {
    express,
    endStreams: async () => {
      await Promise.all([orderStreams.stop(), live.stop()]);
    },
    refuseReadiness: () => {
      stopping = true;
    },
  };
}

function watchServers(
  { sequelize, redis, admin }: Wiring,
  events: { healthy(): boolean },
  accepting: () => boolean,
): AppDependencies["readiness"] {
  return createReadiness(
    {
      mysql: async () => (await sequelize.query("SELECT 1"), true),
      redis: async () => (await redis.ping(), true),
      kafka: async () => (await admin.describeCluster(), events.healthy()),
    },
    { accepting },
  );
}

/** The same name has the same one in every process, for as long as the secret stays. */
function disguiseBy(secret: string): (name: string) => string {
  const key = createSecretKey(Buffer.from(`disguise ${secret}`));
  return (name) => createHmac("sha256", key).update(name).digest("base64url").slice(0, 16);
}

async function openRevocations({ redis, config, log }: Wiring, lifecycle: Lifecycle): Promise<Revocations> {
  const revocations = createRevocationList(redis, config.JWT_EXPIRES_IN * 1_000, log);
  await revocations.start();
  lifecycle.onStop("revocations", () => {
    revocations.stop();
    return Promise.resolve();
  });
  return revocations;
}

/** Clients that follow their orders, told by the news of the workers and by the database. */
function openStreams(
  { config, log, redis }: Wiring,
  needs: Pick<OrderStreamsDependencies, "orders" | "revocations">,
): OrderStreams {
  const streams = createOrderStreams({
    ...needs,
    ...{ log, now: () => Date.now() },
    max: config.EVENT_STREAMS_MAX,
    maxPerUser: config.EVENT_STREAMS_PER_USER,
  });
  const news = followDecisionNews(redis, log, streams.decided);
  streams.start();
  return {
    ...streams,
    stop: async () => {
      news.stop();
      await streams.stop();
    },
  };
}

/** What administrators watch, over all processes. */
function openLive({ sequelize, redis, admin, log }: Wiring, revocations: Revocations): LiveStreams {
  const now = () => Date.now();
  const view = createLiveView({
    ...{ stock: createStockAudit(redis), counts: createIntakeCounts(redis) },
    ...{ database: createLiveReader(sequelize), backlog: createBacklogWatch(admin), log, now },
  });
  return createLiveStreams({ view, revocations, log, now });
}

interface IntakeNeeds {
  readonly stock: StockStore;
  readonly epochs: StockEpochs;
  readonly metrics: ApiMetrics;
}

/** What an order passes on its way into the log, and what keeps it out when it would not get there. */
function openIntake(wiring: Wiring, { stock, epochs, metrics }: IntakeNeeds, lifecycle: Lifecycle) {
  const { config, log, tracing, producer, admin } = wiring;
  const failPoints = createFailPoints(config.FAIL_POINT);
  const events = createOrderEvents({
    producer,
    produceTimeoutMs: config.PRODUCE_TIMEOUT_MS,
    log,
    tracing,
    onBatch: metrics.produced,
    onPublished: markPublished(stock, log),
  });
  lifecycle.onStop("order events", () => events.drained());
  const gate = createStockGate({ stock, epochs, log, observe: metrics.counters });
  gate.start();
  lifecycle.onStop("stock gate", () => gate.stop());
  const ageMaxMs = config.UNDECIDED_AGE_MAX * 1_000;
  const guard = createBacklogGuard({ backlog: createBacklogWatch(admin), ageMaxMs, log });
  lifecycle.onStop("backlog guard", () => guard.stop());
  const reserve = failPoints.after("throw_in_handler", failPoints.after("after_reserve", gate.reserve));
  const tally = createIntakeTally({ counts: createIntakeCounts(wiring.redis), log });
  tally.start();
  lifecycle.onStop("tally of answers", () => tally.stop());
  return {
    observe(outcome: IntakeOutcome, seconds: number, productId: number): void {
      metrics.intake(outcome, seconds);
      tally.observe(outcome, seconds, productId);
    },
    stock: { reserve },
    events: { ...events, publish: failPoints.after("after_produce", events.publish) },
    overdue: guard.overdue,
  };
}

function administration(
  { sequelize, redis, producer, config, log }: Wiring,
  now: () => number,
): Pick<AppDependencies, "deadLetters" | "audit" | "reconciling"> {
  const audit = createAuditTrail(sequelize, now);
  const deadLetters = createDeadLetterService({
    letters: createDeadLetterStore(sequelize, now),
    audit,
    orders: createOrderReader(sequelize),
    replays: createDeadLetterReplay({ producer, produceTimeoutMs: config.PRODUCE_TIMEOUT_MS }),
    log,
    now,
  });
  const ledger = createLedger(sequelize);
  const reconciling = createReconcileService({ stock: createStockStore(redis), ledger, audit, log });
  return { deadLetters, audit, reconciling };
}

/** On a connection of its own, opened when it is first asked: scans must not hold those that buyers wait for. */
function wireConsistency({ config, redis, admin }: Wiring, lifecycle: Lifecycle) {
  const sequelize = createSequelize({ ...config, MYSQL_POOL_MAX: 1 }, CONSISTENCY_DEADLINE_MS);
  lifecycle.onStop("mysql of the checks", () => sequelize.close());
  const elapsed = () => performance.now();
  return createConsistency({
    database: createInvariantReader({ sequelize, elapsed, deadlineMs: CONSISTENCY_DEADLINE_MS }),
    stock: createStockAudit(redis),
    backlog: createBacklogWatch(admin),
    elapsed,
  });
}

/** On connections of their own, opened when they are first asked for, like those of the checks. */
function wireReports({ config, sequelize, log }: Wiring, now: () => number, lifecycle: Lifecycle) {
  const own = createSequelize(
    { ...config, MYSQL_POOL_MAX: REPORTS_AT_ONCE_MAX + 1 },
    REPORT_STATEMENT_MAX_MS,
  );
  lifecycle.onStop("mysql of the reports", () => own.close());
  return createReportService({
    snapshots: createSettlementSnapshots(own),
    audit: createAuditTrail(sequelize, now),
    timeZone: config.REPORT_TIME_ZONE,
    newId: randomUUID,
    rest: restAfter,
    ...{ log, now },
  });
}

function restAfter(readMs: number): Promise<void> {
  return delay(Math.min(Math.max(REPORT_REST_MIN_MS, readMs), REPORT_REST_MAX_MS));
}

function attemptLimits({ redis, config, log }: Wiring) {
  return createAttemptLimits({
    account: createAttemptLimiter(redis, "login-account", config.LOGIN_FAILURES_PER_ACCOUNT),
    accountAtHome: createAttemptLimiter(redis, "login-home", config.LOGIN_FAILURES_PER_ACCOUNT),
    address: createAttemptLimiter(redis, "login-address", config.LOGIN_FAILURES_PER_ADDRESS),
    signup: createAttemptLimiter(redis, "signup-address", config.LOGIN_FAILURES_PER_ADDRESS),
    work: createAttemptLimiter(redis, "passwords", config.PASSWORDS_PER_ADDRESS, PASSWORDS_WINDOW_S),
    known: createKnownAddresses(redis, log),
  });
}

/** A second's worth, over all processes. */
function requestLimits({ redis, config, log }: Wiring, metrics: ApiMetrics): AppDependencies["limits"] {
  const limit = (name: string, points: number) =>
    createRateLimit({ points, windowMs: 1_000, share: createSharedCount(redis, name, points), log });
  return {
    address: limit("address", config.RATE_LIMIT_PER_ADDRESS),
    orders: limit("orders", config.RATE_LIMIT_ORDERS_PER_USER),
    notes: { refused: metrics.limited },
  };
}

function watchLoad(
  { config, log }: Wiring,
  metrics: ApiMetrics,
  lifecycle: Lifecycle,
): AppDependencies["load"] {
  const watch = createLoadWatch({
    lateAboveMs: config.SHED_READS_ABOVE_MS,
    veryLateAboveMs: config.SHED_ALL_BUT_ORDERS_ABOVE_MS,
    log,
  });
  lifecycle.onStop("load watch", () => {
    watch.stop();
    return Promise.resolve();
  });
  return { now: watch.load, notes: { shed: metrics.shed } };
}

function appSettings(config: Readonly<ApiConfig>): AppDependencies["settings"] {
  return {
    trustedProxies: config.TRUST_PROXY,
    corsOrigins: config.CORS_ORIGINS ?? [],
    docs: config.API_DOCS === "on",
    metrics: config.METRICS === "on",
    pages: PAGES_FOLDER,
  };
}
