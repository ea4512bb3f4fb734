import { createHmac, timingSafeEqual } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { Redis } from "ioredis";
import { Kafka, logLevel } from "kafkajs";
import { groupBy } from "../../../shared/domain/group-by.ts";
import { RESERVE, type Reserved } from "./reserve.ts";
import { PRICE, readWiring, stockKeys, YARDSTICK_TOPIC } from "./wiring.ts";

/**
 * The same effects with no framework: node:http, one Redis pipeline and one produce for all orders that wait, no lock, no
 * validation, no log. Whose order it is must be known, so the token's signature is checked, by hand.
 */
const IN_FLIGHT_MAX = 2;

interface Waiting {
  readonly orderId: string;
  readonly userId: string;
  readonly productId: number;
  readonly res: ServerResponse;
}

const { port, jwtSecret, redisUrl, kafkaBrokers } = readWiring();
const redis = new Redis(redisUrl);
const sha = (await redis.script("LOAD", RESERVE)) as string;
const producer = new Kafka({ brokers: [kafkaBrokers], logLevel: logLevel.ERROR }).producer({
  allowAutoTopicCreation: false,
});
await producer.connect();
let waiting: Waiting[] = [];
let inFlight = 0;
let scheduled = false;

createServer((req, res) => {
  if (req.method === "GET") {
    res.end();
    return;
  }
  const userId = userOf(req.headers.authorization ?? "");
  let text = "";
  req.setEncoding("latin1");
  req.on("data", (chunk: string) => (text += chunk));
  req.on("end", () => {
    if (userId === undefined) answer(res, 401, '{"code":"unauthenticated"}');
    else enqueue(req, res, userId, text);
  });
}).listen(port, "127.0.0.1");

function enqueue(req: IncomingMessage, res: ServerResponse, userId: string, text: string): void {
  const { productId } = JSON.parse(text) as { productId: number };
  const orderId = `${productId}-${userId}-${String(req.headers["idempotency-key"])}`;
  waiting.push({ orderId, userId, productId, res });
  schedule();
}

function schedule(): void {
  if (scheduled || inFlight >= IN_FLIGHT_MAX || waiting.length === 0) return;
  scheduled = true;
  setImmediate(() => {
    scheduled = false;
    const batch = waiting;
    waiting = [];
    inFlight += 1;
    void placeAll(batch).finally(() => {
      inFlight -= 1;
      schedule();
    });
  });
}

async function placeAll(batch: Waiting[]): Promise<void> {
  const pipeline = redis.pipeline();
  for (const { orderId, userId, productId } of batch)
    pipeline.evalsha(sha, 4, ...stockKeys(productId), orderId, userId);
  const replies = (await pipeline.exec()) ?? [];
  const words = replies.map(([error, reply]) =>
    error ? (["internal", 0] as Reserved) : (reply as Reserved),
  );
  const accepted = batch.flatMap((order, i) =>
    words[i]?.[0] === "reserved" ? [{ order, at: words[i][1] }] : [],
  );
  batch.forEach(({ res }, i) => {
    const word = words[i]?.[0] ?? "internal";
    if (word !== "reserved") answer(res, 409, `{"code":"${word}"}`);
  });
  if (accepted.length === 0) return;
  const messages = accepted.map(({ order: { orderId, userId, productId }, at }) => ({
    key: orderId,
    value: `{"v":1,"orderId":"${orderId}","userId":"${userId}","productId":${productId},"quantity":1,"unitPrice":${PRICE},"currency":"KRW","acceptedAt":${at}}`,
  }));
  await producer.send({ topic: YARDSTICK_TOPIC, acks: -1, messages });
  for (const { order } of accepted)
    answer(order.res, 202, `{"orderId":"${order.orderId}","status":"PENDING"}`);
  const published = redis.pipeline();
  for (const [productId, orders] of groupBy(accepted, ({ order }) => order.productId))
    published.zrem(stockKeys(productId)[2], ...orders.map(({ order }) => order.orderId));
  published.exec().catch(() => undefined);
}

function answer(res: ServerResponse, status: number, json: string): void {
  res.writeHead(status, { "Content-Type": "application/json", "Content-Length": json.length });
  res.end(json);
}

/** The subject of a token with our signature. */
function userOf(authorization: string): string | undefined {
  const token = authorization.slice("Bearer ".length);
  const dot = token.lastIndexOf(".");
  const expected = createHmac("sha256", jwtSecret).update(token.slice(0, dot)).digest();
  const signature = Buffer.from(token.slice(dot + 1), "base64url");
  if (signature.length !== expected.length || !timingSafeEqual(signature, expected)) return undefined;
  const claims = Buffer.from(token.slice(token.indexOf(".") + 1, dot), "base64url").toString();
  return (JSON.parse(claims) as { sub: string }).sub;
}
