import { QueryTypes, type Sequelize } from "sequelize";

export interface Finding {
  readonly invariant: string;
  readonly rule: string;
  /** Rows that break it, at most ROWS_SHOWN_MAX; empty: it holds. */
  readonly rows: readonly object[];
}

export const ROWS_SHOWN_MAX = 20;

/** Invariants of docs/reliability.md that the database alone can prove. Each query selects what breaks the rule. */
const CHECKS: readonly { readonly invariant: string; readonly rule: string; readonly sql: string }[] = [
  {
    invariant: "I2",
    rule: "per product: sold = sum of the SUCCESS orders' quantity, and at most stock",
    sql: `SELECT p.id AS productId, p.stock, p.sold, COALESCE(o.units, 0) AS successUnits
          FROM products p LEFT JOIN (SELECT product_id, SUM(quantity) AS units FROM orders
            WHERE status = 'SUCCESS' GROUP BY product_id) o ON o.product_id = p.id
          WHERE p.sold <> COALESCE(o.units, 0) OR p.sold > p.stock`,
  },
  {
    invariant: "I5",
    rule: "exactly one settlement for each SUCCESS order, of unit price × quantity at the product's price",
    sql: `SELECT o.id AS orderId, o.status, o.quantity, o.unit_price AS unitPrice, s.id AS settlementId, s.amount
          FROM orders o LEFT JOIN settlements s ON s.order_id = o.id LEFT JOIN products p ON p.id = o.product_id
          WHERE o.status = 'SUCCESS' AND (s.id IS NULL OR p.id IS NULL OR s.amount <> p.price * o.quantity
            OR s.currency <> p.currency OR s.user_id <> o.user_id OR s.product_id <> o.product_id)`,
  },
  {
    invariant: "I5",
    rule: "no settlement of an order that is not SUCCESS",
    sql: `SELECT s.id AS settlementId, s.order_id AS orderId, o.status FROM settlements s
          LEFT JOIN orders o ON o.id = s.order_id WHERE o.id IS NULL OR o.status <> 'SUCCESS'`,
  },
  {
    invariant: "I5",
    rule: "running totals of products = sums of their settlements",
    sql: totalsSql("product"),
  },
  {
    invariant: "I5",
    rule: "running totals of users = sums of their settlements",
    sql: totalsSql("user"),
  },
  {
    invariant: "I6",
    rule: "no user above the product's limit",
    sql: `SELECT o.product_id AS productId, o.user_id AS userId, SUM(o.quantity) AS units, MAX(p.per_user_limit) AS perUserLimit
          FROM orders o JOIN products p ON p.id = o.product_id WHERE o.status = 'SUCCESS'
          GROUP BY o.product_id, o.user_id HAVING SUM(o.quantity) > MAX(p.per_user_limit)`,
  },
  {
    invariant: "I7",
    rule: "every SUCCESS was accepted while its sale was open",
    sql: `SELECT o.id AS orderId, o.accepted_at AS acceptedAt, p.start_time AS startTime, p.end_time AS endTime
          FROM orders o JOIN products p ON p.id = o.product_id
          WHERE o.status = 'SUCCESS' AND (o.accepted_at < p.start_time OR o.accepted_at >= p.end_time)`,
  },
  {
    invariant: "I9",
    rule: "every order's history is a path of the state machine that ends where the order is",
    sql: `SELECT o.id AS orderId, o.status, COUNT(h.id) AS changes, MAX(h.to_status) AS lastStatus
          FROM orders o LEFT JOIN order_history h ON h.order_id = o.id
          GROUP BY o.id, o.status HAVING COUNT(h.id) <> 1 OR MAX(h.from_status) <> 'PENDING' OR MAX(h.to_status) <> o.status`,
  },
];

function totalsSql(scope: "product" | "user"): string {
  const column = `${scope}_id`;
  const sums = `SELECT ${column} AS id, currency, COUNT(*) AS entries, SUM(amount) AS amount FROM settlements
    GROUP BY ${column}, currency`;
  return `SELECT COALESCE(s.id, t.scope_id) AS ${scope}Id, t.entries, t.amount, s.entries AS settledEntries, s.amount AS settledAmount
    FROM settlement_totals t LEFT JOIN (${sums}) s ON s.id = t.scope_id AND s.currency = t.currency
    WHERE t.scope = '${scope}' AND (s.id IS NULL OR s.entries <> t.entries OR s.amount <> t.amount)
    UNION ALL
    SELECT s.id, t.entries, t.amount, s.entries, s.amount
    FROM (${sums}) s LEFT JOIN settlement_totals t ON t.scope = '${scope}' AND t.scope_id = s.id AND t.currency = s.currency
    WHERE t.scope_id IS NULL`;
}

export async function* databaseFindings(sequelize: Sequelize): AsyncGenerator<Finding> {
  for (const { invariant, rule, sql } of CHECKS) {
    const rows = await sequelize.query<object>(`SELECT * FROM (${sql}) broken LIMIT ${ROWS_SHOWN_MAX}`, {
      type: QueryTypes.SELECT,
    });
    yield { invariant, rule, rows };
  }
}
