import { Kafka, logLevel, type ITopicConfig } from "kafkajs";
import { TOPICS } from "../../shared/kafka/topics.ts";
import { reason, StackFailure } from "./failure.ts";

const DAY_MS = 86_400_000;
const ORDERS_PARTITIONS = 4;
/** An order may wait as long as an outage lasts; what is deleted before it was decided is lost. */
const ORDERS_RETENTION_MS = 7 * DAY_MS;
const DEAD_LETTERS_RETENTION_MS = 30 * DAY_MS;
const REPLICATION_MAX = 3;
const REQUEST_TIMEOUT_MS = 10_000;

/** Creates the topics that are not there yet; returns the replication that the programs are to insist on. */
export async function createTopics(brokers: string, wanted?: number): Promise<number> {
  const admin = new Kafka({
    clientId: "flashpay-launcher",
    brokers: brokers.split(",").map((broker) => broker.trim()),
    logLevel: logLevel.NOTHING,
    requestTimeout: REQUEST_TIMEOUT_MS,
  }).admin();
  try {
    await admin.connect();
    const cluster = await admin.describeCluster();
    const replication = wanted ?? Math.min(REPLICATION_MAX, cluster.brokers.length);
    const existing = new Set(await admin.listTopics());
    const missing = topicConfigs(replication).filter(({ topic }) => !existing.has(topic));
    if (missing.length > 0) await admin.createTopics({ topics: missing, waitForLeaders: true });
    return replication;
  } catch (error) {
    throw new StackFailure(`The topics could not be created at ${brokers}: ${reason(error)}.`);
  } finally {
    await admin.disconnect().catch(() => undefined);
  }
}

export function topicConfigs(replication: number): ITopicConfig[] {
  const topic = (name: string, numPartitions: number, retentionMs: number): ITopicConfig => ({
    topic: name,
    numPartitions,
    replicationFactor: replication,
    configEntries: [
      { name: "retention.ms", value: String(retentionMs) },
      // With three copies two must have a message before it counts: one broker may die without a loss, or a stop.
      {
        name: "min.insync.replicas",
        value: String(replication >= REPLICATION_MAX ? REPLICATION_MAX - 1 : 1),
      },
    ],
  });
  return [
    topic(TOPICS.orders, ORDERS_PARTITIONS, ORDERS_RETENTION_MS),
    topic(TOPICS.deadLetters, 1, DEAD_LETTERS_RETENTION_MS),
  ];
}
