import express, { type ErrorRequestHandler, type Express, type RequestHandler } from "express";
import helmet from "helmet";
import type { Registry } from "prom-client";
import type { AuditTrail, Log, RateLimit, Tracing } from "../shared/domain/ports.ts";
import type { Readiness } from "../shared/readiness.ts";
import { createAccountController } from "./controllers/account-controller.ts";
import { createAuditController } from "./controllers/audit-controller.ts";
import { createConsistencyController } from "./controllers/consistency-controller.ts";
import { createDeadLetterController } from "./controllers/dead-letter-controller.ts";
import { createLiveController } from "./controllers/live-controller.ts";
import { createOperationController } from "./controllers/operation-controller.ts";
import { createOrderController } from "./controllers/order-controller.ts";
import { createProductController } from "./controllers/product-controller.ts";
import { createReconcileController } from "./controllers/reconcile-controller.ts";
import { createReportController } from "./controllers/report-controller.ts";
import { createSettlementController } from "./controllers/settlement-controller.ts";
import { docsRoutes } from "./docs.ts";
import type { Load } from "./load-watch.ts";
import { staticPages } from "./static-pages.ts";
import { requireRole } from "./middleware/authenticate.ts";
import { jsonBody } from "./middleware/body.ts";
import { constantHeaders } from "./middleware/constant-headers.ts";
import { allowOrigins } from "./middleware/cors.ts";
import { errorHandler, notFound } from "./middleware/error-handler.ts";
import { limitOrdersPerUser, limitPerAddress, type LimitNotes } from "./middleware/rate-limit.ts";
import { shedLoad, type ShedNotes } from "./middleware/shed-load.ts";
import { traceRequests } from "./middleware/trace-requests.ts";
import { requestLog } from "./request-context.ts";
import { accountRoutes } from "./routes/account-routes.ts";
import { auditRoutes } from "./routes/audit-routes.ts";
import { consistencyRoutes } from "./routes/consistency-routes.ts";
import { deadLetterRoutes } from "./routes/dead-letter-routes.ts";
import type { Guards } from "./routes/guards.ts";
import { liveRoutes } from "./routes/live-routes.ts";
import { operationRoutes } from "./routes/operation-routes.ts";
import { orderRoutes } from "./routes/order-routes.ts";
import { productRoutes } from "./routes/product-routes.ts";
import { reconcileRoutes } from "./routes/reconcile-routes.ts";
import { settlementRoutes } from "./routes/settlement-routes.ts";
import type { AccountService } from "./services/account-service.ts";
import type { ConsistencyService } from "./services/consistency-service.ts";
import type { DeadLetterService } from "./services/dead-letter-service.ts";
import type { LiveStreams } from "./services/live-streams.ts";
import type { OrderQueryService } from "./services/order-query-service.ts";
import type { OrderService } from "./services/order-service.ts";
import type { OrderStreams } from "./services/order-streams.ts";
import type { ProductService } from "./services/product-service.ts";
import type { ReconcileService } from "./services/reconcile-service.ts";
import type { ReportService } from "./services/report-service.ts";
import type { SettlementService } from "./services/settlement-service.ts";

export interface AppDependencies {
  readonly log: Log;
  /** Where requests are told, a line each, in fields that hold no secret. */
  readonly requests: Log;
  /** Undefined: nothing is traced. */
  readonly tracing?: Tracing | undefined;
  readonly registry: Registry;
  readonly readiness: () => Promise<Readiness>;
  readonly authenticate: RequestHandler;
  readonly accounts: AccountService;
  readonly products: ProductService;
  readonly orders: OrderService;
  readonly orderQueries: OrderQueryService;
  readonly orderStreams: Pick<OrderStreams, "follow">;
  readonly settlements: SettlementService;
  readonly reports: ReportService;
  readonly deadLetters: DeadLetterService;
  readonly audit: Pick<AuditTrail, "list">;
  readonly reconciling: ReconcileService;
  readonly consistency: ConsistencyService;
  readonly live: Pick<LiveStreams, "follow">;
  readonly limits: { readonly address: RateLimit; readonly orders: RateLimit; readonly notes: LimitNotes };
  readonly load: { readonly now: () => Load; readonly notes: ShedNotes };
  readonly settings: {
    /** Whose X-Forwarded-For counts: so many proxies in front (0: none), or those at these addresses. */
    readonly trustedProxies: number | readonly string[];
    /** Other origins whose pages may call; none: no header of CORS at all. */
    readonly corsOrigins: readonly string[];
    readonly docs: boolean;
    readonly metrics: boolean;
    /** Where the files of both pages are. */
    readonly pages: string;
  };
}

/** What stands before and behind the routes, by the name that the test of the matrix knows it by. */
function step<T extends RequestHandler | ErrorRequestHandler>(name: string, handler: T): T {
  return Object.defineProperty(handler, "name", { value: name });
}

/** Beside helmet's own: styles in files only (Swagger UI has a policy of its own), and no page may move its links' base. */
const CONTENT_POLICY = {
  baseUri: ["'none'"],
  styleSrc: ["'self'"],
  fontSrc: ["'self'"],
  // TLS ends in front of this program: whether pages may be loaded over http is not for it to say.
  upgradeInsecureRequests: null,
};

/** The HTTP program: what a request passes, top to bottom. */
export function createApp(dependencies: AppDependencies): Express {
  const { log, settings, authenticate, limits } = dependencies;
  const guards: Guards = {
    authenticate,
    admin: requireRole("admin"),
    ordersPerUser: limitOrdersPerUser(limits.orders, limits.notes),
    jsonBody,
  };
  const app = express();
  app.disable("x-powered-by");
  // Answers change with every order: a tag would cost a hash and save nothing.
  app.disable("etag");
  app.set("trust proxy", settings.trustedProxies);
  app.use(step("request log", requestLog(dependencies.requests)));
  app.use(
    step(
      "security headers",
      constantHeaders(helmet({ contentSecurityPolicy: { directives: CONTENT_POLICY } })),
    ),
  );
  // Before limits and shedding: a page may read their refusals, and a late process still lets an order's preflight pass.
  if (settings.corsOrigins.length > 0) app.use(step("cors", allowOrigins(settings.corsOrigins)));
  app.use(
    operationRoutes(createOperationController(dependencies.registry, dependencies.readiness), {
      metrics: settings.metrics,
    }),
  );
  // Behind probes and scrapes: nobody follows those.
  if (dependencies.tracing) app.use(step("tracing", traceRequests(dependencies.tracing)));
  app.use(step("limit per address", limitPerAddress(limits.address, limits.notes)));
  app.use(step("load shedding", shedLoad(dependencies.load.now, dependencies.load.notes)));
  // First of the routes: each one in front of it would be looked at for every order.
  app.use(
    "/api/orders",
    orderRoutes(
      createOrderController(dependencies.orders, dependencies.orderQueries, dependencies.orderStreams),
      guards,
    ),
  );
  if (settings.docs) app.use(docsRoutes());
  app.use(staticPages(settings.pages));
  app.use("/api/users", accountRoutes(createAccountController(dependencies.accounts), guards));
  app.use("/api/products", productRoutes(createProductController(dependencies.products), guards));
  app.use(
    "/api/settlements",
    settlementRoutes(
      createSettlementController(dependencies.settlements),
      createReportController(dependencies.reports),
      guards,
    ),
  );
  app.use(
    "/api/admin/dead-letters",
    deadLetterRoutes(createDeadLetterController(dependencies.deadLetters), guards),
  );
  app.use(
    "/api/admin/products",
    reconcileRoutes(createReconcileController(dependencies.reconciling), guards),
  );
  app.use("/api/admin/audit", auditRoutes(createAuditController(dependencies.audit), guards));
  app.use(
    "/api/admin/consistency",
    consistencyRoutes(createConsistencyController(dependencies.consistency), guards),
  );
  app.use("/api/admin/live", liveRoutes(createLiveController(dependencies.live), guards));
  app.use(step("not found", notFound));
  app.use(step("errors", errorHandler(log)));
  return app;
}
