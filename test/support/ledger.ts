import type { Redis } from "ioredis";
import { keys } from "../../shared/redis/keys.ts";
import type { MysqlAddress } from "../../tools/stack/mysql.ts";
import { openDatabase } from "./database.ts";

const PRICE = 12_900;

export interface LedgerWish {
  readonly products: number;
  readonly users: number;
  readonly orders: number;
  /** One order in so many has an id that derives from a key: random within its day. 0: none. */
  readonly keyedEvery?: number;
}

/** Numbers from `first` on, without a table to take them from. */
const numbers = (first: number, count: number): string => `
  WITH RECURSIVE n AS (SELECT 0 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 999)
  SELECT ${first} + a.i + 1000 * (b.i + 1000 * c.i) AS k
  FROM n c JOIN n b JOIN n a
  WHERE c.i < ${Math.ceil(count / 1_000_000)} AND b.i + 1000 * c.i < ${Math.ceil(count / 1_000)}
    AND a.i + 1000 * (b.i + 1000 * c.i) < ${count}`;

/** A ledger of settled orders that break no rule, made by the database itself. All orders are of one unit. */
export async function seedLedger(mysql: MysqlAddress, redis: Redis, wish: LedgerWish): Promise<void> {
  const database = openDatabase(mysql, 1);
  try {
    // Millions of rows, right by their making: with these off, a server may sort its indexes once instead of by the row.
    for (const check of ["unique_checks", "foreign_key_checks"])
      await database.run(`SET SESSION ${check} = 0`);
    for (const statement of statements(wish)) await database.run(statement);
    for (const { id, left } of await database.rows<{ id: number; left: number }>(
      "SELECT id, stock - sold AS `left` FROM products",
    ))
      await redis.hset(keys.stock(id), "left", left);
  } finally {
    await database.close();
  }
}

/** One INSERT a table, in the order of its primary key. */
function* statements({ products, users, orders, keyedEvery = 0 }: LedgerWish): Generator<string> {
  yield `INSERT INTO users (id, username, email, password_hash, role, created_at)
    SELECT 1000 + k, CONCAT('l', k), CONCAT('l', k, '@example.com'), '', 'user', '2026-01-01'
    FROM (${numbers(1, users)}) s`;
  // By time stamp, as orders without a key are; by hash within a day, as those with one are.
  const keyed = keyedEvery === 0 ? "FALSE" : `k % ${keyedEvery} = 0`;
  const id = `CASE WHEN ${keyed}
      THEN CONCAT('019b77a8-8800-8', MID(MD5(k), 1, 3), '-8', MID(MD5(k), 4, 3), '-', MID(MD5(k), 7, 12))
      ELSE CONCAT('019b77a9-', LPAD(HEX(k DIV 100), 4, '0'), '-7', LPAD(k % 100, 3, '0'), '-8', MID(MD5(k), 4, 3), '-',
        MID(MD5(k), 7, 12)) END`;
  yield `INSERT INTO orders (id, user_id, product_id, status, quantity, unit_price, currency, accepted_at, decided_at)
    SELECT LOWER(${id}) AS id, 1001 + k % ${users}, 1 + (k + k DIV ${users}) % ${products}, 'SUCCESS', 1, ${PRICE}, 'KRW',
      '2026-06-01', '2026-06-01'
    FROM (${numbers(0, orders)}) s ORDER BY id`;
  yield `INSERT INTO order_history (order_id, from_status, to_status, changed_at)
    SELECT id, 'PENDING', status, decided_at FROM orders FORCE INDEX (PRIMARY) ORDER BY id`;
  yield `INSERT INTO settlements (order_id, user_id, product_id, type, amount, currency, settled_at)
    SELECT id, user_id, product_id, 'charge', unit_price * quantity, currency, decided_at
    FROM orders FORCE INDEX (PRIMARY) ORDER BY id`;
  for (const scope of ["product", "user"])
    yield `INSERT INTO settlement_totals SELECT '${scope}', ${scope}_id, currency, COUNT(*), SUM(amount)
      FROM settlements GROUP BY ${scope}_id, currency`;
  // Made from the orders, like the rest: what it says is what there is.
  yield `INSERT INTO products (id, title, price, currency, stock, sold, start_time, end_time, per_user_limit, created_by,
      created_at)
    SELECT k, CONCAT('Sale ', k), ${PRICE}, 'KRW', 10000000, COALESCE(sold, 0), '2026-01-01', '2099-01-01', 100, 1001,
      '2026-01-01'
    FROM (${numbers(1, products)}) s
    LEFT JOIN (SELECT product_id, COUNT(*) AS sold FROM orders GROUP BY product_id) o ON o.product_id = k`;
}
