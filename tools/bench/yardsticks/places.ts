import { Redis } from "ioredis";
import type { Connection } from "mysql2/promise";
import type { MysqlAddress } from "../../stack/mysql.ts";
import type { Servers } from "../../stack/servers.ts";
import { openDatabase, openKafka } from "../connect.ts";
import { YARDSTICK_TOPIC } from "./wiring.ts";

/** FlashPay's user may use every database whose name begins so. */
const DATABASE = "flashpay_yardsticks";
const REDIS_DATABASE = 1;
/** As many as FlashPay's own topic has. */
const PARTITIONS = 4;

/** The least that an order's effects need: FlashPay's tables have more columns, keys and checks. */
const TABLES = [
  `CREATE TABLE products (id INT UNSIGNED PRIMARY KEY, stock INT UNSIGNED NOT NULL, sold INT UNSIGNED NOT NULL)`,
  `CREATE TABLE orders (
     id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin PRIMARY KEY, user_id BIGINT UNSIGNED NOT NULL,
     product_id INT UNSIGNED NOT NULL, quantity INT UNSIGNED NOT NULL, amount BIGINT UNSIGNED NOT NULL,
     status VARCHAR(16) CHARACTER SET ascii NOT NULL, accepted_at BIGINT UNSIGNED NOT NULL,
     KEY orders_bought (product_id, user_id, status, quantity))`,
  `CREATE TABLE settlements (
     id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY,
     order_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL UNIQUE, user_id BIGINT UNSIGNED NOT NULL,
     product_id INT UNSIGNED NOT NULL, amount BIGINT UNSIGNED NOT NULL, settled_at BIGINT UNSIGNED NOT NULL)`,
];

/** Where the yardsticks keep what they do: on the same servers as FlashPay, out of its way. */
export interface YardstickPlaces {
  readonly mysql: MysqlAddress;
  readonly redisUrl: string;
  readonly database: Connection;
  readonly redis: Redis;
  wipe(): Promise<void>;
  close(): Promise<void>;
}

export async function prepareYardsticks(servers: Servers, outside: Connection): Promise<YardstickPlaces> {
  const mysql = { ...servers.mysql, database: DATABASE };
  await outside.query("CREATE DATABASE ?? CHARACTER SET utf8mb4", [DATABASE]);
  const database = await openDatabase(mysql);
  for (const table of TABLES) await database.query(table);
  const admin = openKafka(servers.kafka.brokers).admin();
  await admin.connect();
  await admin.createTopics({
    topics: [{ topic: YARDSTICK_TOPIC, numPartitions: PARTITIONS, replicationFactor: 1 }],
    waitForLeaders: true,
  });
  await admin.disconnect();
  const redisUrl = `${servers.redis.url}/${REDIS_DATABASE}`;
  const redis = new Redis(redisUrl);
  return {
    ...{ mysql, redisUrl, database, redis },
    async wipe() {
      for (const table of ["products", "orders", "settlements"]) await database.query("TRUNCATE ??", [table]);
      await redis.flushdb();
    },
    async close() {
      redis.disconnect();
      await database.end();
    },
  };
}
