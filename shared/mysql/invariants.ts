import { ORDER_STATUSES, ORDER_TRANSITIONS } from "../domain/order.ts";

/** Rows of one table that a rule looks at. */
export type CountedTable =
  "products" | "orders" | "settlements" | "order_history" | "settlement_totals" | "dead_letters";

/** What a query is narrowed to; neither: everything. */
export interface Focus {
  readonly productId?: number;
  /** Only rows whose fingerprints differ. */
  readonly buckets?: readonly number[];
}

/** One pass over one table that sums its rows by bucket, for all the rules that need such a sum. */
export interface Scan {
  readonly table: CountedTable;
  /** (bucket, entries, sums…); entries counts the rows. */
  readonly sql: string;
}

/** Sums of one scan; of a rule that holds they are those of the other side, in each bucket. */
export interface Side {
  readonly scan: Scan;
  readonly columns: readonly string[];
  /** Summed over all buckets: the other side has no such buckets. */
  readonly overall?: true;
}

export interface SqlInvariant {
  readonly invariant: string;
  readonly rule: string;
  readonly table: CountedTable;
  /** Spans products, so it says nothing about one. */
  readonly wholeOnly?: true;
  /** Selects the rows that break the rule. */
  readonly offenders: (focus: Focus) => string;
  /**
   * Sums that agree when the rule holds; without a second side they are 0. What joins two tables row by row is then asked
   * of the differing buckets alone: a join of millions by random ids would read each page many times.
   */
  readonly sums?: readonly [Side, Side?];
}

/** Buckets of the scans: a group each, in memory, whatever the number of rows. */
const BUCKETS = 4_096;

/** `AND …` that narrows to the focus: by product, or by the bucket of an order's id. */
function narrow({ productId, buckets }: Focus, product: string, orderId: string): string {
  if (productId !== undefined) return ` AND ${product} = ${productId}`;
  return buckets ? ` AND ${bucketOf(orderId)} IN (${buckets.join(", ")})` : "";
}

/** The same for rows that know of a product alone. */
const ofProduct = ({ productId }: Focus, product: string): string =>
  productId === undefined ? "" : ` AND ${product} = ${productId}`;

const bucketOf = (column: string): string => `CRC32(${column}) % ${BUCKETS}`;
/**
 * What an order's facts are multiplied by before they are summed: facts that changed places, or went astray in two orders
 * at once, do not add up to the same. Signed, for differences; as decimals, which do not overflow.
 */
const weight = (id: string): string => `CAST(CRC32(${id}) AS SIGNED)`;
const wide = (number: string): string => `CAST(${number} AS DECIMAL(20))`;

/** The facts of a settlement and of the order that it settles, weighted. */
const FACTS = ["ids", "users", "products", "amounts", "currencies"];
const facts = (weighed: string, amount: string): string => `
      SUM(${weighed}) AS ids, SUM(${weighed} * ${wide("user_id")}) AS users, SUM(${weighed} * ${wide("product_id")}) AS products,
      SUM(${weighed} * ${amount}) AS amounts, SUM(${weighed} * ${wide("CRC32(currency)")}) AS currencies`;

const ORDERS: Scan = {
  table: "orders",
  sql: `SELECT ${bucketOf("id")} AS bucket, COUNT(*) AS entries, SUM(status = 'SUCCESS') AS settled,
      ${facts(`IF(status = 'SUCCESS', ${weight("id")}, 0)`, `${wide("unit_price")} * quantity`)}
    FROM orders GROUP BY bucket`,
};

/** Linear, so that a running total and its settlements weigh the same however they are split. */
const scoped = (scope: "product" | "user", id: string, entries: string, only = "TRUE"): string => {
  const weighed = `IF(${only}, ${wide(`CRC32(${id}) ^ CRC32(currency)`)}, 0)`;
  return `SUM(${weighed} * ${entries}) AS ${scope}Entries, SUM(${weighed} * ${wide("amount")}) AS ${scope}Amounts`;
};

const SETTLEMENTS: Scan = {
  table: "settlements",
  sql: `SELECT ${bucketOf("order_id")} AS bucket, COUNT(*) AS entries, COUNT(*) AS settled,
      ${facts(weight("order_id"), wide("amount"))},
      ${scoped("product", "product_id", "1")}, ${scoped("user", "user_id", "1")}
    FROM settlements GROUP BY bucket`,
};

const TOTALS: Scan = {
  table: "settlement_totals",
  sql: `SELECT COUNT(*) AS entries,
      ${scoped("product", "scope_id", "entries", "scope = 'product'")},
      ${scoped("user", "scope_id", "entries", "scope = 'user'")}
    FROM settlement_totals`,
};

/** From the orders to their products: the other way round, each product's orders would be read at random. */
const SALES: Scan = {
  table: "orders",
  sql: `SELECT STRAIGHT_JOIN SUM(o.entries) AS entries,
      SUM(p.id IS NULL OR o.lowest <> p.price OR o.highest <> p.price OR o.one <> p.currency OR o.other <> p.currency)
        AS mispriced,
      SUM(o.earliest < p.start_time OR o.latest >= p.end_time) AS outside
    FROM (SELECT product_id, COUNT(*) AS entries, MIN(unit_price) AS lowest, MAX(unit_price) AS highest,
        MIN(currency) AS one, MAX(currency) AS other, MIN(accepted_at) AS earliest, MAX(accepted_at) AS latest
      FROM orders FORCE INDEX (PRIMARY) WHERE status = 'SUCCESS' GROUP BY product_id) o
    LEFT JOIN products p ON p.id = o.product_id`,
};

const STOCK: SqlInvariant = {
  invariant: "I2",
  rule: "per product: sold = sum of the SUCCESS orders' quantity, and at most stock",
  table: "products",
  offenders: (focus) => `
    SELECT p.id AS productId, p.stock, p.sold, COALESCE(o.units, 0) AS successUnits
    FROM products p LEFT JOIN (SELECT product_id, CAST(SUM(quantity) AS UNSIGNED) AS units FROM orders
      WHERE status = 'SUCCESS'${ofProduct(focus, "product_id")} GROUP BY product_id) o ON o.product_id = p.id
    WHERE (p.sold <> COALESCE(o.units, 0) OR p.sold > p.stock)${ofProduct(focus, "p.id")}`,
};

const SETTLED: SqlInvariant = {
  invariant: "I5",
  rule: "exactly one settlement for each SUCCESS order, of unit price × quantity, and none for any other",
  table: "settlements",
  sums: [
    { scan: ORDERS, columns: ["settled", ...FACTS] },
    { scan: SETTLEMENTS, columns: ["settled", ...FACTS] },
  ],
  offenders: (focus) => `
    SELECT o.id AS orderId, o.status, o.unit_price * o.quantity AS owed, s.id AS settlementId, s.amount AS settled
    FROM orders o LEFT JOIN settlements s ON s.order_id = o.id
    WHERE o.status = 'SUCCESS'${narrow(focus, "o.product_id", "o.id")}
      AND (s.id IS NULL OR s.amount <> o.unit_price * o.quantity OR s.currency <> o.currency
        OR s.user_id <> o.user_id OR s.product_id <> o.product_id)
    UNION ALL
    SELECT s.order_id, o.status, NULL, s.id, s.amount FROM settlements s LEFT JOIN orders o ON o.id = s.order_id
    WHERE (o.id IS NULL OR o.status <> 'SUCCESS')${narrow(focus, "s.product_id", "s.order_id")}
    UNION ALL
    SELECT s.order_id, 'settled more than once', NULL, MAX(s.id), SUM(s.amount) FROM settlements s
    WHERE TRUE${narrow(focus, "s.product_id", "s.order_id")} GROUP BY s.order_id HAVING COUNT(*) > 1`,
};

const PRICED: SqlInvariant = {
  invariant: "I5",
  rule: "every SUCCESS order is at the product's own price",
  table: "orders",
  sums: [{ scan: SALES, columns: ["mispriced"], overall: true }],
  offenders: (focus) => `
    SELECT STRAIGHT_JOIN o.id AS orderId, o.product_id AS productId, o.unit_price AS unitPrice, o.currency, p.price,
      p.currency AS productCurrency
    FROM orders o LEFT JOIN products p ON p.id = o.product_id
    WHERE o.status = 'SUCCESS'${ofProduct(focus, "o.product_id")}
      AND (p.id IS NULL OR o.unit_price <> p.price OR o.currency <> p.currency)`,
};

/** Totals and sums of settlements, one beside the other; what is on one side only counts as 0 on the other. */
function unequalTotals(scope: "product" | "user", ofTotals: string, ofSettlements: string): string {
  return `
    SELECT id AS ${scope}Id, currency, CAST(SUM(entries) AS UNSIGNED) AS entries, CAST(SUM(amount) AS UNSIGNED) AS amount,
      CAST(SUM(settled) AS UNSIGNED) AS settledEntries, CAST(SUM(charged) AS UNSIGNED) AS settledAmount
    FROM (
      SELECT scope_id AS id, currency, entries, amount, 0 AS settled, 0 AS charged FROM settlement_totals
      WHERE scope = '${scope}'${ofTotals}
      UNION ALL
      SELECT ${scope}_id, currency, 0, 0, COUNT(*), SUM(amount) FROM settlements WHERE TRUE${ofSettlements}
      GROUP BY ${scope}_id, currency) both_sides
    GROUP BY id, currency HAVING SUM(entries) <> SUM(settled) OR SUM(amount) <> SUM(charged)`;
}

const totalsOf = (scope: "product" | "user"): [Side, Side] => {
  const columns = [`${scope}Entries`, `${scope}Amounts`];
  return [
    { scan: TOTALS, columns, overall: true },
    { scan: SETTLEMENTS, columns, overall: true },
  ];
};

const PRODUCT_TOTALS: SqlInvariant = {
  invariant: "I5",
  rule: "running totals of products = sums of their settlements",
  table: "settlement_totals",
  sums: totalsOf("product"),
  offenders: (focus) =>
    unequalTotals("product", ofProduct(focus, "scope_id"), ofProduct(focus, "product_id")),
};

const USER_TOTALS: SqlInvariant = {
  invariant: "I5",
  rule: "running totals of users = sums of their settlements",
  table: "settlement_totals",
  wholeOnly: true,
  sums: totalsOf("user"),
  offenders: () => unequalTotals("user", "", ""),
};

const LIMITED: SqlInvariant = {
  invariant: "I6",
  rule: "no user above the product's limit",
  table: "orders",
  // The index (product, user, status, quantity) holds all that is needed, in the order of the groups: nothing is sorted.
  offenders: (focus) => `
    SELECT o.product_id AS productId, o.user_id AS userId, CAST(SUM(o.quantity) AS UNSIGNED) AS units,
      (SELECT p.per_user_limit FROM products p WHERE p.id = o.product_id) AS perUserLimit
    FROM orders o FORCE INDEX (orders_bought)
    WHERE o.status = 'SUCCESS'${ofProduct(focus, "o.product_id")}
    GROUP BY o.product_id, o.user_id HAVING units > perUserLimit`,
};

const IN_WINDOW: SqlInvariant = {
  invariant: "I7",
  rule: "every SUCCESS was accepted while its sale was open",
  table: "orders",
  sums: [{ scan: SALES, columns: ["outside"], overall: true }],
  offenders: (focus) => `
    SELECT STRAIGHT_JOIN o.id AS orderId, o.product_id AS productId, o.accepted_at AS acceptedAt, p.start_time AS startTime,
      p.end_time AS endTime
    FROM orders o LEFT JOIN products p ON p.id = o.product_id
    WHERE o.status = 'SUCCESS'${ofProduct(focus, "o.product_id")}
      AND (o.accepted_at < p.start_time OR o.accepted_at >= p.end_time)`,
};

/** Where every life begins: what no other status leads to. */
const INITIAL = ORDER_STATUSES.filter(
  (status) => !Object.values(ORDER_TRANSITIONS).some((next) => (next as readonly string[]).includes(status)),
);
const initial = INITIAL[0] ?? "";
const ALLOWED = ORDER_STATUSES.flatMap((from) => ORDER_TRANSITIONS[from].map((to) => `('${from}', '${to}')`));
const notAllowed = (from: string, to: string): string => `(${from}, ${to}) NOT IN (${ALLOWED.join(", ")})`;

/**
 * Changes form a path from the first status to the current one when each change is in the table of transitions, and every
 * status is entered as often as it is left, counting the beginning and the end: the table has no circle.
 */
const unbalanced = ORDER_STATUSES.map(
  (status) =>
    `COALESCE(SUM(h.to_status = '${status}'), 0) + ${status === initial ? 1 : 0}
      <> COALESCE(SUM(h.from_status = '${status}'), 0) + (o.status = '${status}')`,
).join(" OR ");

const UNKEPT = "status = 'FAILED' AND fail_reason IN ('sold_out', 'limit_exceeded')";

/** A status weighs what its history adds up to: each change adds where it leads, and takes where it began. */
const WALKS = ORDER_STATUSES.map((status) => `walked${status}`);
const walks = (id: string, to: string, from: string): string =>
  ORDER_STATUSES.map(
    (status) => `SUM(${weight(id)} * ((${to} = '${status}') - (${from} = '${status}'))) AS walked${status}`,
  ).join(", ");

const STATUSES: Scan = {
  table: "orders",
  sql: `SELECT ${bucketOf("id")} AS bucket, COUNT(*) AS entries, ${walks("id", "status", `'${initial}'`)}, 0 AS strangers,
      SUM(${UNKEPT}) AS unkept
    FROM orders GROUP BY bucket`,
};

const CHANGES: Scan = {
  table: "order_history",
  sql: `SELECT ${bucketOf("order_id")} AS bucket, COUNT(*) AS entries, ${walks("order_id", "to_status", "from_status")},
      SUM(${notAllowed("from_status", "to_status")}) AS strangers
    FROM order_history GROUP BY bucket`,
};

const PATH: SqlInvariant = {
  invariant: "I9",
  rule: "every order's history is a path of the state machine that ends where the order is",
  table: "order_history",
  sums: [
    { scan: STATUSES, columns: [...WALKS, "strangers"] },
    { scan: CHANGES, columns: [...WALKS, "strangers"] },
  ],
  offenders: (focus) => `
    SELECT o.id AS orderId, o.status,
      GROUP_CONCAT(CONCAT(h.from_status, ' > ', h.to_status) ORDER BY h.id SEPARATOR ', ') AS changes
    FROM orders o LEFT JOIN order_history h ON h.order_id = o.id
    WHERE TRUE${narrow(focus, "o.product_id", "o.id")}
    GROUP BY o.id, o.status
    HAVING ${unbalanced} OR COALESCE(SUM(${notAllowed("h.from_status", "h.to_status")}), 0) > 0`,
};

/** Orders that were accepted and then failed for want of units. */
export const KEPT: SqlInvariant = {
  invariant: "I12",
  rule: "no order was accepted and then failed for want of units",
  table: "orders",
  sums: [{ scan: STATUSES, columns: ["unkept"] }],
  offenders: (focus) => `
    SELECT id AS orderId, product_id AS productId, user_id AS userId, fail_reason AS failReason FROM orders
    WHERE ${UNKEPT}${narrow(focus, "product_id", "id")}`,
};

/**
 * Each list is read in a snapshot of its own, side by side where there are two connections: what a rule compares is always
 * read in one of them, and no rule is set against another. About half of the work each.
 */
export const SQL_LANES: readonly (readonly SqlInvariant[])[] = [
  [SETTLED, PRODUCT_TOTALS, USER_TOTALS],
  [PATH, KEPT, STOCK, LIMITED, PRICED, IN_WINDOW],
];
