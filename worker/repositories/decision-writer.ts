import { QueryTypes, type Sequelize, type Transaction } from "sequelize";
import { boughtKey, type Decision } from "../../shared/domain/decide.ts";
import { placeOf } from "../../shared/domain/dead-letter.ts";
import { groupBy } from "../../shared/domain/group-by.ts";
import type { FailReason } from "../../shared/domain/order.ts";
import type { DeadLetter, DecisionWriter, RawMessage } from "../../shared/domain/ports.ts";
import { existingOrders, lockProducts } from "../../shared/mysql/decided-orders.ts";
import { toSqlInstant } from "../../shared/mysql/instant.ts";
import { valuesOf } from "../../shared/mysql/rows.ts";

type Success = Extract<Decision, { outcome: "SUCCESS" }>;
type Failed = Extract<Decision, { outcome: "FAILED" }>;
type OrderRow = readonly [
  string,
  number,
  number,
  string,
  FailReason | null,
  number | null,
  number | null,
  string | null,
  string,
  string,
];

const KEY_BYTES_MAX = 1_024;
const ERROR_CHARS_MAX = 500;

/** The statements of one transaction (flow.md §2), in the order in which they take their locks. */
export function createDecisionWriter(
  sequelize: Sequelize,
  transaction: Transaction,
  afterOrderInsert: () => void,
): DecisionWriter {
  return {
    lockProducts: (ids) => lockProducts(sequelize, transaction, ids),
    existingOrders: (ids) => existingOrders(sequelize, transaction, ids),
    ...{ knownUsers, bought, parkedBefore, write, park },
  };

  async function knownUsers(ids: readonly number[]) {
    if (ids.length === 0) return new Set<number>();
    const rows = await select<{ id: number }>("SELECT id FROM users WHERE id IN (:ids)", { ids });
    return new Set(rows.map(({ id }) => id));
  }

  async function bought(pairs: readonly { productId: number; userId: number }[]) {
    const units = new Map<string, number>();
    for (const [productId, ofProduct] of groupBy(pairs, (pair) => pair.productId)) {
      const rows = await select<{ user_id: number; units: number }>(
        `SELECT user_id, CAST(SUM(quantity) AS UNSIGNED) AS units FROM orders
         WHERE product_id = :productId AND user_id IN (:userIds) AND status = 'SUCCESS' GROUP BY user_id`,
        { productId, userIds: [...new Set(ofProduct.map(({ userId }) => userId))] },
      );
      for (const row of rows) units.set(boughtKey(productId, row.user_id), row.units);
    }
    return units;
  }

  async function parkedBefore(messages: readonly RawMessage[]) {
    if (messages.length === 0) return new Map<string, string>();
    const rows = await select<{ topic: string; partition: number; offset: number; error: string }>(
      `SELECT topic, partition_no AS \`partition\`, offset_no AS \`offset\`, error FROM dead_letters
       WHERE (topic, partition_no, offset_no) IN (:places)`,
      { places: messages.map(({ topic, partition, offset }) => [topic, partition, Number(offset)]) },
    );
    return new Map(rows.map((row) => [placeOf(row), row.error]));
  }

  async function write(decisions: readonly Decision[], decidedAt: number): Promise<void> {
    const at = toSqlInstant(decidedAt);
    const successes = decisions.filter((d): d is Success => d.outcome === "SUCCESS");
    const failures = decisions.filter((d): d is Failed => d.outcome === "FAILED");
    await insertOrders([
      ...successes.map((decision) => orderRow(decision, null, at)),
      ...failures.map((decision) => orderRow(decision, decision.reason, at)),
    ]);
    afterOrderInsert();
    if (successes.length === 0) return;
    await insert(
      "INSERT INTO settlements (order_id, user_id, product_id, type, amount, currency, settled_at) VALUES",
      successes.map(({ order, amount }) => [
        order.orderId,
        order.userId,
        order.productId,
        "charge",
        amount,
        order.currency,
        at,
      ]),
    );
    await addToTotals(successes);
    await addToSold(successes);
  }

  async function insertOrders(rows: readonly OrderRow[]): Promise<void> {
    await insert(
      `INSERT INTO orders (id, user_id, product_id, status, fail_reason, quantity, unit_price, currency, accepted_at,
         decided_at) VALUES`,
      rows,
    );
    await insert(
      "INSERT INTO order_history (order_id, from_status, to_status, changed_at) VALUES",
      rows.map(([id, , , status, , , , , , decidedAt]) => [id, "PENDING", status, decidedAt]),
    );
  }

  async function addToTotals(successes: readonly Success[]): Promise<void> {
    const scopes = new Map<string, { row: [string, number, string, number, number] }>();
    for (const { order, amount } of successes) {
      for (const [scope, id] of [
        ["product", order.productId],
        ["user", order.userId],
      ] as const) {
        const key = `${scope}:${id}:${order.currency}`;
        const total = scopes.get(key);
        if (total) {
          total.row[3] += 1;
          total.row[4] += amount;
        } else scopes.set(key, { row: [scope, id, order.currency, 1, amount] });
      }
    }
    // In key order: workers on different products may share users.
    const rows = [...scopes.values()].map(({ row }) => row);
    rows.sort((a, b) => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : a[1] - b[1] || (a[2] < b[2] ? -1 : 1)));
    await insert(
      "INSERT INTO settlement_totals (scope, scope_id, currency, entries, amount) VALUES",
      rows,
      "ON DUPLICATE KEY UPDATE entries = entries + VALUES(entries), amount = amount + VALUES(amount)",
    );
  }

  async function addToSold(successes: readonly Success[]): Promise<void> {
    const byProduct = groupBy(successes, ({ order }) => order.productId);
    for (const productId of [...byProduct.keys()].sort((a, b) => a - b)) {
      const units = (byProduct.get(productId) ?? []).reduce((sum, { order }) => sum + order.quantity, 0);
      const [, changed] = await sequelize.query(
        "UPDATE products SET sold = sold + :units WHERE id = :productId AND sold + :units <= stock",
        { replacements: { units, productId }, transaction, type: QueryTypes.UPDATE },
      );
      if (changed !== 1)
        throw new Error(`Product ${productId} has no ${units} units left under its own lock.`);
    }
  }

  async function park(letters: readonly DeadLetter[], parkedAt: number) {
    const at = toSqlInstant(parkedAt);
    const named = new Map(letters.flatMap(({ order }) => (order ? [[order.orderId, order] as const] : [])));
    const existing = await existingOrders(sequelize, transaction, [...named.keys()]);
    await insertOrders(
      [...named.values()]
        .filter(({ orderId }) => !existing.has(orderId))
        .map(({ orderId, userId, productId }): OrderRow => [
          orderId,
          userId,
          productId,
          "FAILED",
          "invalid_message",
          null,
          null,
          null,
          at,
          at,
        ]),
    );
    // A letter that an administrator has handled may be parked again by a redelivery: it stays handled.
    await insert(
      `INSERT INTO dead_letters (topic, partition_no, offset_no, order_id, message_key, message_value, error, parked_at) VALUES`,
      letters.map(({ message, error, order, decidedOrderId }) => [
        message.topic,
        message.partition,
        message.offset,
        order?.orderId ?? decidedOrderId ?? null,
        message.key && Buffer.from(message.key.subarray(0, KEY_BYTES_MAX)),
        message.value && Buffer.from(message.value),
        error.slice(0, ERROR_CHARS_MAX),
        at,
      ]),
      "ON DUPLICATE KEY UPDATE parked_at = parked_at",
    );
    return new Map([...named.keys()].map((id) => [id, existing.get(id)?.status ?? ("FAILED" as const)]));
  }

  function select<Row extends object>(sql: string, replacements: Record<string, unknown>): Promise<Row[]> {
    return sequelize.query<Row>(sql, { replacements, transaction, type: QueryTypes.SELECT });
  }

  /** One statement for all rows; a plain INSERT, so that nothing is dropped or bent in silence. */
  async function insert(into: string, rows: Parameters<typeof valuesOf>[1], behind = ""): Promise<void> {
    if (rows.length === 0) return;
    const sql = `${into} ${valuesOf(sequelize, rows)} ${behind}`;
    await sequelize.query(sql, { transaction, type: QueryTypes.RAW });
  }
}

function orderRow({ outcome, order }: Success | Failed, reason: FailReason | null, at: string): OrderRow {
  const { orderId, userId, productId, quantity, unitPrice, currency, acceptedAt } = order;
  return [
    orderId,
    userId,
    productId,
    outcome,
    reason,
    quantity,
    unitPrice,
    currency,
    toSqlInstant(acceptedAt),
    at,
  ];
}
