import type { Admin } from "kafkajs";
import { TOPICS } from "./topics.ts";

/**
 * Refuses a cluster whose topics are missing or have fewer replicas than set (contract §6).
 * @returns one sentence that names the setting, or undefined when all is well
 */
export async function kafkaProblem(admin: Admin, replication: number): Promise<string | undefined> {
  const existing = await admin.listTopics();
  for (const topic of Object.values(TOPICS)) {
    if (!existing.includes(topic))
      return `KAFKA_BROKERS: the topic ${topic} is missing; create it before the start.`;
  }
  const { topics } = await admin.fetchTopicMetadata({ topics: Object.values(TOPICS) });
  for (const { name, partitions } of topics) {
    const fewest = Math.min(...partitions.map(({ replicas }) => replicas.length));
    if (fewest < replication) {
      return `KAFKA_TOPIC_REPLICATION: the topic ${name} has ${fewest} replica(s), the setting asks for ${replication}.`;
    }
  }
  return undefined;
}
