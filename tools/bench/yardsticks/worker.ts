import { createServer } from "node:http";
import { Kafka, logLevel } from "kafkajs";
import mysql from "mysql2/promise";
import { groupBy } from "../../../shared/domain/group-by.ts";
import { readWiring, YARDSTICK_GROUP, YARDSTICK_TOPIC, type YardstickMessage } from "./wiring.ts";

/**
 * The worker of the reference path and of `bare`: a batch of messages is one transaction of three statements, sent as they are.
 * It decides nothing; it only writes.
 */
const BATCH_MAX = 1_000;
const PARTITIONS_AT_ONCE = 2;
const CONNECTIONS = 4;
const MAX_WAIT_MS = 100;
const SESSION_TIMEOUT_MS = 10_000;
const AUTO_COMMIT_MS = 500;

const { port, mysql: address, kafkaBrokers } = readWiring();
const pool = mysql.createPool({ ...address, connectionLimit: CONNECTIONS });
const consumer = new Kafka({ brokers: [kafkaBrokers], logLevel: logLevel.ERROR }).consumer({
  groupId: YARDSTICK_GROUP,
  maxWaitTimeInMs: MAX_WAIT_MS,
  sessionTimeout: SESSION_TIMEOUT_MS,
});
let joined = false;
consumer.on("consumer.group_join", () => (joined = true));
await consumer.connect();
await consumer.subscribe({ topic: YARDSTICK_TOPIC, fromBeginning: true });
await consumer.run({
  eachBatchAutoResolve: false,
  partitionsConsumedConcurrently: PARTITIONS_AT_ONCE,
  autoCommitInterval: AUTO_COMMIT_MS,
  eachBatch: async ({ batch, resolveOffset, heartbeat }) => {
    for (let first = 0; first < batch.messages.length; first += BATCH_MAX) {
      const messages = batch.messages.slice(first, first + BATCH_MAX);
      await write(messages.map(({ value }) => JSON.parse(String(value)) as YardstickMessage));
    }
    resolveOffset(batch.lastOffset());
    await heartbeat();
  },
});
createServer((_req, res) => {
  res.statusCode = joined ? 200 : 503;
  res.end();
}).listen(port, "127.0.0.1");
process.once("SIGTERM", () => void consumer.disconnect().then(() => process.exit(0)));

async function write(orders: YardstickMessage[]): Promise<void> {
  orders.sort((a, b) => (a.orderId < b.orderId ? -1 : 1));
  const at = Date.now();
  const connection = await pool.getConnection();
  try {
    await connection.query("START TRANSACTION");
    await connection.query(
      `INSERT INTO orders (id, user_id, product_id, quantity, amount, status, accepted_at) VALUES ?
         ON DUPLICATE KEY UPDATE id = id`,
      [
        orders.map((o) => [
          o.orderId,
          o.userId,
          o.productId,
          o.quantity,
          o.unitPrice,
          "SUCCESS",
          o.acceptedAt,
        ]),
      ],
    );
    await connection.query(
      `INSERT INTO settlements (order_id, user_id, product_id, amount, settled_at) VALUES ?
         ON DUPLICATE KEY UPDATE order_id = order_id`,
      [orders.map((o) => [o.orderId, o.userId, o.productId, o.unitPrice, at])],
    );
    const byProduct = [...groupBy(orders, ({ productId }) => productId)].sort(([a], [b]) => a - b);
    for (const [productId, { length }] of byProduct) {
      await connection.query("UPDATE products SET sold = sold + ? WHERE id = ? AND sold + ? <= stock", [
        ...[length, productId, length],
      ]);
    }
    await connection.query("COMMIT");
  } catch (error) {
    await connection.query("ROLLBACK");
    throw error;
  } finally {
    connection.release();
  }
}
