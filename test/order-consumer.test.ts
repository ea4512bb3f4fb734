import { expect } from "chai";
import { Kafka, logLevel, type Admin, type Producer } from "kafkajs";
import { v7 as uuidv7 } from "uuid";
import type { RawMessage } from "../shared/domain/ports.ts";
import { createKafka } from "../shared/kafka/client.ts";
import { createOrderConsumer, type ConsumerOptions } from "../shared/kafka/order-consumer.ts";
import { TOPICS, WORKER_GROUP } from "../shared/kafka/topics.ts";
import { createLogRecorder } from "../shared/testing/log.ts";
import { sharedServers } from "./support/servers.ts";
import { until } from "./support/until.ts";

const MESSAGES = 40;
const BATCH_MAX = 10;
const SESSION_TIMEOUT_MS = 6_000;
const ARRIVED_DEADLINE_MS = 20_000;

describe("the consumer of orders, on a real broker", function () {
  this.timeout(60_000);
  let admin: Admin;
  let producer: Producer;

  before(async () => {
    const brokers = sharedServers().kafkaBrokers.split(",");
    const kafka = new Kafka({ clientId: "order-consumer-test", brokers, logLevel: logLevel.NOTHING });
    admin = kafka.admin();
    producer = kafka.producer({ allowAutoTopicCreation: false });
    await Promise.all([admin.connect(), producer.connect()]);
  });
  after(async () => {
    await forgetGroup();
    await Promise.all([admin.disconnect(), producer.disconnect()]);
  });
  beforeEach(forgetGroup);

  /** As on the first day, or after its offsets have expired. */
  async function forgetGroup(): Promise<void> {
    await until(
      "the group is forgotten",
      async () => {
        const { groups } = await admin.listGroups();
        if (groups.some(({ groupId }) => groupId === WORKER_GROUP)) await admin.deleteGroups([WORKER_GROUP]);
        return true;
      },
      ARRIVED_DEADLINE_MS,
    );
  }

  /** Into one partition, in one request. @returns their keys, in order */
  async function produce(): Promise<string[]> {
    const keys = Array.from({ length: MESSAGES }, () => uuidv7());
    await producer.send({
      topic: TOPICS.orders,
      messages: keys.map((key) => ({ key, value: "{}", partition: 0 })),
    });
    return keys;
  }

  const keysOf = (messages: readonly RawMessage[]) => messages.map(({ key }) => key?.toString() ?? "");

  async function consume(handle: ConsumerOptions["handle"]) {
    const consumer = createOrderConsumer({
      kafka: createKafka({
        clientId: "order-consumer-test",
        brokers: sharedServers().kafkaBrokers,
        log: createLogRecorder(),
      }),
      sessionTimeoutMs: SESSION_TIMEOUT_MS,
      batchMax: BATCH_MAX,
      log: createLogRecorder(),
      handle,
      onDead: () => undefined,
    });
    await consumer.start();
    return consumer;
  }

  /** A worker that decides everything, until it has decided the last of these. @returns what it saw of them */
  async function decideAll(wanted: readonly string[]): Promise<string[]> {
    const seen: string[] = [];
    const consumer = await consume(async (messages) => {
      seen.push(...keysOf(messages));
      return "decided";
    });
    try {
      await until("the last message arrives", () => seen.includes(wanted.at(-1) ?? ""), ARRIVED_DEADLINE_MS);
    } finally {
      await consumer.stop();
    }
    return seen.filter((key) => wanted.includes(key));
  }

  it("in a group that nobody knows begins with the first message, not with the next", async () => {
    const keys = await produce();
    const seen: string[] = [];
    const consumer = await consume(async (messages) => {
      seen.push(...keysOf(messages));
      return "decided";
    });
    try {
      await until("it is a member", () => consumer.joined(), ARRIVED_DEADLINE_MS);
      const marker = await produce();
      await until("what comes last arrives", () => seen.includes(marker.at(-1) ?? ""), ARRIVED_DEADLINE_MS);
    } finally {
      await consumer.stop();
    }
    expect(seen.filter((key) => keys.includes(key))).to.deep.equal(keys);
  });

  it("that stops in the middle of a batch leaves the rest of it to the next one", async () => {
    await decideAll(await produce());
    const keys = await produce();
    const decided: string[] = [];
    let stopped: Promise<void> | undefined;
    const first = await consume(async (messages, mine) => {
      if (decided.length > 0) stopped ??= first.stop();
      if (!mine()) return "abandoned";
      decided.push(...keysOf(messages));
      return "decided";
    });
    try {
      await until("it stops in the middle", () => stopped !== undefined, ARRIVED_DEADLINE_MS);
    } finally {
      await (stopped ?? first.stop());
    }
    const rest = keys.filter((key) => !decided.includes(key));
    expect(rest).to.have.length.above(0);
    expect(await decideAll([...rest, ...(await produce())])).to.include.members(rest);
  });
});
