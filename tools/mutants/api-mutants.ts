import type { Mutant } from "./mutant.ts";

const ORDER_SERVICE = "api/services/order-service.ts";

export const API_MUTANTS: readonly Mutant[] = [
  {
    id: "M3",
    title: "stock given back when a hand-over times out",
    edits: [
      {
        file: ORDER_SERVICE,
        find: `      log.warn({ err: cause, orderId: order.orderId, traceId }, "hand-over not confirmed");\n`,
        replace: `      await (dependencies.stock as StockStore).settle([{ order, as: "FAILED" }]);\n`,
      },
      {
        // The gate in front of the counters knows no give-back.
        file: "api/services/stock-gate.ts",
        find: "    reserve,\n    round,\n",
        replace: `    reserve,
    settle: (orders: Parameters<StockStore["settle"]>[0]) => (stock as StockStore).settle(orders),
    round,\n`,
      },
    ],
    specs: ["api/services/order-service.test.ts"],
  },
  {
    id: "M9",
    title: "an idempotent producer of kafkajs, whose reply is cut",
    edits: [{ file: "shared/kafka/client.ts", find: "idempotent: false", replace: "idempotent: true" }],
    specs: ["test/producer.test.ts"],
  },
  {
    id: "M15",
    title: "an order read without the owner check",
    edits: [
      {
        file: "api/services/order-query-service.ts",
        find: `if (order && (order.userId === principal.userId || principal.role === "admin")) return order;`,
        replace: "if (order) return order;",
      },
    ],
    specs: ["api/services/order-query-service.test.ts"],
  },
  {
    id: "M16",
    title: "the price taken from the client",
    edits: [
      {
        file: "api/controllers/schemas.ts",
        find: `export const orderBody = Joi.object<OrderBody>({\n`,
        replace: `export const orderBody = Joi.object<OrderBody & { unitPrice?: number }>({
  unitPrice: count(PRICE_MAX),\n`,
      },
      {
        file: "api/controllers/order-controller.ts",
        find: "const { productId, quantity } = plainOrderBody(req.body) ?? parse(orderBody, req.body);",
        replace: "const { productId, ...rest } = parse(orderBody, req.body);",
      },
      {
        file: "api/controllers/order-controller.ts",
        find: "      quantity,\n",
        replace: "      ...rest,\n",
      },
      {
        file: ORDER_SERVICE,
        find: "{ quantity, traceId, traceparent: parent }: PlaceOrder,",
        replace:
          "{ quantity, traceId, traceparent: parent, unitPrice }: PlaceOrder & { unitPrice?: number },",
      },
      {
        file: ORDER_SERVICE,
        find: `        await handOver(claim, reserved, traceId, parent);\n`,
        replace: `        if (unitPrice !== undefined) {
          const order = { ...reserved.order, unitPrice };
          Object.assign(reserved, { order, value: JSON.stringify(order) });
        }
        await handOver(claim, reserved, traceId, parent);\n`,
      },
    ],
    specs: ["api/services/order-service.test.ts"],
  },
  {
    id: "M17",
    title: "the algorithms of a JWT not pinned",
    edits: [
      { file: "api/middleware/authenticate.ts", find: "      algorithms: [ALGORITHM],\n", replace: "" },
    ],
    specs: ["api/middleware/authenticate.test.ts"],
  },
  {
    id: "M19",
    title: "an administrator's route without its role",
    edits: [
      {
        file: "api/routes/dead-letter-routes.ts",
        find: "{ post: [authenticate, admin, letters.replay] }",
        replace: "{ post: [authenticate, letters.replay] }",
      },
    ],
    specs: ["api/routes/roles.test.ts"],
  },
  {
    id: "M20",
    title: "a route that nobody has said who may use",
    edits: [
      {
        file: "api/routes/audit-routes.ts",
        find: `serve(router, "/", { get: [authenticate, admin, audit.list] });`,
        replace: `serve(router, "/", { get: [authenticate, admin, audit.list] });
  serve(router, "/all", { get: [authenticate, audit.list] });`,
      },
    ],
    specs: ["api/routes/roles.test.ts"],
  },
  {
    id: "M21",
    title: "a way in that is no route of a router",
    edits: [
      {
        file: "api/app.ts",
        find: `  app.use(step("not found", notFound));\n`,
        replace: `  app.use("/api/admin/everything", (_req, res) => void res.json({ success: true }));
  app.use(step("not found", notFound));\n`,
      },
    ],
    specs: ["api/routes/roles.test.ts"],
  },
];
