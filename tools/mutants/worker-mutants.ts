import type { Mutant } from "./mutant.ts";

const CONSUMER = "shared/kafka/order-consumer.ts";
const DECIDE = "shared/domain/decide.ts";
const WRITER = "worker/repositories/decision-writer.ts";
const GUARDS = { specs: ["test/database-guards.test.ts"] };
const GROUP = { specs: ["test/order-consumer.test.ts"] };
const RESOLVE = `      const last = messages.at(-1);
      if (last) resolveOffset(last.offset);
      await commit(payload);
`;
const CALL = "      const outcome = await beating(heartbeat, heartbeatMs, () => handle(messages, mine));\n";

export const WORKER_MUTANTS: readonly Mutant[] = [
  {
    id: "M4",
    title: "the offset resolved before COMMIT",
    edits: [
      { file: CONSUMER, find: RESOLVE, replace: "" },
      { file: CONSUMER, find: CALL, replace: RESOLVE + CALL },
    ],
    specs: ["shared/kafka/order-consumer.test.ts"],
  },
  {
    id: "M5",
    title: "INSERT IGNORE",
    edits: [
      { file: WRITER, find: "INSERT INTO orders (", replace: "INSERT IGNORE INTO orders (" },
      { file: WRITER, find: "INSERT INTO settlements (", replace: "INSERT IGNORE INTO settlements (" },
    ],
    ...GUARDS,
  },
  {
    id: "M6",
    title: "no unique settlement.order_id",
    edits: [
      {
        file: "migrations/20261101000400-create-settlements.js",
        find: "        CONSTRAINT settlements_order_unique UNIQUE (order_id),\n",
        replace: "",
      },
    ],
    ...GUARDS,
  },
  {
    id: "M7",
    title: "a worker that judges the window by its clock",
    edits: [
      {
        file: DECIDE,
        find: "order.acceptedAt < product.startTime || order.acceptedAt >= product.endTime",
        replace: "Date.now() < product.startTime || Date.now() >= product.endTime",
      },
    ],
    specs: ["shared/domain/decide.test.ts"],
    grep: "window|sale",
  },
  {
    id: "M8",
    title: "no guard in the database, while Redis promises more than there is",
    edits: [
      {
        file: DECIDE,
        find: `    if ((sold.get(order.productId) ?? 0) + order.quantity > product.stock) return "sold_out";\n`,
        replace: "",
      },
      {
        file: WRITER,
        find: "WHERE id = :productId AND sold + :units <= stock",
        replace: "WHERE id = :productId",
      },
      {
        file: "migrations/20261101000200-create-products.js",
        find: "        CONSTRAINT products_sold_within_stock CHECK (sold <= stock),\n",
        replace: "",
      },
    ],
    ...GUARDS,
  },
  {
    id: "M10",
    title: "eachBatchAutoResolve: true, and a stop in mid-batch",
    edits: [{ file: CONSUMER, find: "eachBatchAutoResolve: false", replace: "eachBatchAutoResolve: true" }],
    ...GROUP,
  },
  {
    id: "M11",
    title: "fromBeginning: false, and a fresh group",
    edits: [{ file: CONSUMER, find: "fromBeginning: true", replace: "fromBeginning: false" }],
    ...GROUP,
  },
  {
    id: "M13",
    title: "a lock-wait error swallowed",
    edits: [
      {
        file: "shared/mysql/transaction.ts",
        find: "return await sequelize.transaction(work);",
        replace: `return await sequelize.transaction(async (transaction) => {
        try {
          return await work(transaction);
        } catch (error) {
          if (databaseFailure(error) === "contention") return undefined as T;
          throw error;
        }
      });`,
      },
    ],
    ...GUARDS,
  },
  {
    id: "M18",
    title: "an infrastructure error sent to the dead letters",
    edits: [
      {
        file: "worker/failure-policy.ts",
        find: `error instanceof DomainError ? ACTIONS[error.code] : "retry"`,
        replace: `error instanceof DomainError ? ACTIONS[error.code] : "park"`,
      },
      { file: "worker/failure-policy.ts", find: `  not_ready: "retry",`, replace: `  not_ready: "park",` },
    ],
    specs: ["worker/failure-policy.test.ts", "worker/handlers/order-placed.test.ts"],
    grep: "failure policy|outage is waited for and nothing is parked",
  },
];
