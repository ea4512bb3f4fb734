import { randomBytes } from "node:crypto";
import express, { type Request, type Response } from "express";
import { Redis } from "ioredis";
import Joi from "joi";
import { Kafka, logLevel } from "kafkajs";
import Redlock from "redlock";
import { createExpress, serve } from "./fast-express.ts";
import { createPublisher } from "./publisher.ts";
import { groupBy } from "../../../shared/domain/group-by.ts";
import { RESERVE, type Reserved } from "./reserve.ts";
import { tokenCheck, userIdOf } from "./token-check.ts";
import { PRICE, readWiring, stockKeys } from "./wiring.ts";

/**
 * The reference path: the shortest program that walks an order's whole way in with the same parts as FlashPay (Express,
 * passport-jwt, Joi, Redlock, one script, batched produce). It has no limits, no claims by key, no recovery, no log.
 */
const LOCK_MS = 3_000;

declare module "ioredis" {
  interface RedisCommander {
    reserve(...args: string[]): Promise<Reserved>;
  }
}

const { port, jwtSecret, redisUrl, kafkaBrokers } = readWiring();
const redis = new Redis(redisUrl, { enableAutoPipelining: true });
redis.defineCommand("reserve", { numberOfKeys: 4, lua: RESERVE });
const redlock = new Redlock([redis], { retryCount: 0 });
redlock.on("error", () => undefined); // contention is answered with 409
const kafka = new Kafka({ brokers: [kafkaBrokers], logLevel: logLevel.ERROR });
const producer = kafka.producer({ allowAutoTopicCreation: false, maxInFlightRequests: 4 });
await producer.connect();
const { publish } = createPublisher(producer, (orderIds) => {
  for (const [productId, ids] of groupBy(orderIds, productIdOf))
    redis.zrem(stockKeys(Number(productId))[2], ...ids).catch(() => undefined);
});
const body = Joi.object<{ productId: number; quantity: number }>({
  productId: Joi.number().integer().positive().required(),
  quantity: Joi.number().integer().min(1).max(10).default(1),
}).required();

const app = createExpress();
app.get("/readyz", (_req, res) => void res.end());
app.post("/api/orders", tokenCheck(jwtSecret), express.json({ limit: "10kb" }), place);
serve(app, port);

async function place(req: Request, res: Response): Promise<void> {
  const checked = body.validate(req.body);
  if (checked.error) {
    res.status(400).json({ code: "validation_failed" });
    return;
  }
  const { productId } = checked.value;
  const userId = userIdOf(req);
  const key = req.headers["idempotency-key"] ?? randomBytes(8).toString("hex");
  const orderId = `${productId}-${userId}-${String(key)}`;
  const lock = await redlock.acquire([`lock:{${productId}}:${userId}`], LOCK_MS).catch(() => undefined);
  if (!lock) {
    res.status(409).json({ code: "order_in_progress" });
    return;
  }
  try {
    const [word, acceptedAt] = await redis.reserve(...stockKeys(productId), orderId, userId);
    if (word !== "reserved") {
      res.status(409).json({ code: word });
      return;
    }
    const order = {
      v: 1,
      orderId,
      userId,
      productId,
      quantity: 1,
      unitPrice: PRICE,
      currency: "KRW",
      acceptedAt,
    };
    await publish({ key: orderId, value: JSON.stringify(order) });
    res.status(202).location(`/api/orders/${orderId}`).json({ orderId, status: "PENDING" });
  } finally {
    lock.release().catch(() => undefined);
  }
}

function productIdOf(orderId: string): string {
  return orderId.slice(0, orderId.indexOf("-"));
}
