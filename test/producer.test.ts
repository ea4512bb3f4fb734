import { randomUUID } from "node:crypto";
import { connect } from "node:net";
import { expect } from "chai";
import { Kafka, logLevel, type Admin } from "kafkajs";
import { createProducer } from "../shared/kafka/client.ts";
import { sharedServers } from "./support/servers.ts";
import { openProxy, type TcpProxy } from "./support/tcp-proxy.ts";
import { until } from "./support/until.ts";

const TRIALS = 5;
const SENDS = 8;
const RETRIES_MAX = 5;
const REQUEST_TIMEOUT_MS = 2_000;
const READ_DEADLINE_MS = 20_000;

describe("the producer of orders", function () {
  this.timeout(60_000);
  const topic = `producer-test-${randomUUID()}`;
  const brokers = sharedServers().kafkaBrokers.split(",");
  const direct = new Kafka({ clientId: "producer-test", brokers, logLevel: logLevel.NOTHING });
  let admin: Admin;
  let proxy: TcpProxy;

  before(async () => {
    const [host = "", port = ""] = (brokers[0] ?? "").split(":");
    proxy = await openProxy({ host, port: Number(port) });
    admin = direct.admin();
    await admin.connect();
    await admin.createTopics({ topics: [{ topic, numPartitions: 1 }], waitForLeaders: true });
  });
  after(async () => {
    await admin.deleteTopics({ topics: [topic] });
    await admin.disconnect();
    await proxy.close();
  });

  it("has in the log what was acknowledged, though the first reply is cut while other sends are on their way", async () => {
    const acknowledged: string[] = [];
    for (let trial = 1; trial <= TRIALS; trial += 1) acknowledged.push(...(await sendThroughCut(trial)));
    expect(acknowledged).to.have.length.above(0);
    const missing = new Set(acknowledged);
    for (const value of await logged()) missing.delete(value);
    expect([...missing]).to.deep.equal([]);
  });

  /** @returns the messages whose sends were acknowledged */
  async function sendThroughCut(trial: number): Promise<string[]> {
    const kafka = new Kafka({
      ...{ clientId: "producer-test", brokers, logLevel: logLevel.NOTHING },
      ...{ requestTimeout: REQUEST_TIMEOUT_MS, enforceRequestTimeout: true },
      retry: { retries: RETRIES_MAX, initialRetryTime: 50, maxRetryTime: 400 },
      // Whatever address the broker tells, the way leads through the proxy.
      socketFactory: ({ host: _host, port: _port, onConnect }) =>
        connect({ host: "127.0.0.1", port: proxy.port }, onConnect),
    });
    const producer = createProducer(kafka);
    await producer.connect();
    try {
      const send = (n: number) => {
        const value = `${trial}-${n}`;
        return producer.send({ topic, acks: -1, messages: [{ value }] }).then(
          () => [value],
          () => [],
        );
      };
      await send(0);
      proxy.trigger({ on: "down", act: "cut before", times: 1 });
      const answers = await Promise.all(Array.from({ length: SENDS }, (_, n) => send(n + 1)));
      expect(proxy.acted()).to.equal(1);
      return answers.flat();
    } finally {
      proxy.trigger(undefined);
      await producer.disconnect();
    }
  }

  async function logged(): Promise<string[]> {
    const [end] = await admin.fetchTopicOffsets(topic);
    const values: string[] = [];
    let next = 0n;
    const consumer = direct.consumer({ groupId: `${topic}-reader`, maxWaitTimeInMs: 100 });
    await consumer.connect();
    try {
      await consumer.subscribe({ topic, fromBeginning: true });
      await consumer.run({
        eachMessage: async ({ message }) => {
          values.push(message.value?.toString() ?? "");
          next = BigInt(message.offset) + 1n;
        },
      });
      await until("the log is read", () => next >= BigInt(end?.high ?? 0), READ_DEADLINE_MS);
    } finally {
      await consumer.disconnect();
    }
    await admin.deleteGroups([`${topic}-reader`]);
    return values;
  }
});
