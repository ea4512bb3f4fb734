import type { Admin, Kafka, Producer } from "kafkajs";
import type { Sequelize } from "sequelize";
import type { SharedSettings } from "./config.ts";
import type { Log } from "./domain/ports.ts";
import { createKafka, createProducer } from "./kafka/client.ts";
import { kafkaProblem } from "./kafka/server-checks.ts";
import type { Lifecycle } from "./lifecycle.ts";
import { createSequelize } from "./mysql/connection.ts";
import { MIGRATIONS, mysqlProblem } from "./mysql/server-checks.ts";
import { connectRedis, type RedisClient } from "./redis/client.ts";
import { redisProblem } from "./redis/server-checks.ts";
import { reach, refuseOn } from "./start.ts";

export interface Connections {
  readonly sequelize: Sequelize;
  readonly redis: RedisClient;
  readonly kafka: Kafka;
  readonly producer: Producer;
  readonly admin: Admin;
}

export interface ConnectionNeeds {
  readonly log: Log;
  readonly lifecycle: Lifecycle;
  /** See createSequelize. */
  readonly statementTimeoutMs: number;
}

/**
 * Opens what a program needs, and each one's release. Called by the composition roots alone.
 * @throws StartRefused when a server cannot be reached, or would lose what the program promises (contract §6)
 */
export async function openConnections(
  name: string,
  settings: SharedSettings,
  { log, lifecycle, statementTimeoutMs }: ConnectionNeeds,
): Promise<Connections> {
  const sequelize = createSequelize(settings, statementTimeoutMs);
  lifecycle.onStop("mysql", () => sequelize.close());
  await reach("MYSQL_HOST", "MySQL", () => sequelize.authenticate());

  const onError = (error: Error) => {
    log.warn({ err: error }, "redis connection");
  };
  const redis = await reach("REDIS_URL", "Redis", () =>
    connectRedis({ url: settings.REDIS_URL, name, onError }),
  );
  lifecycle.onStop("redis", () => redis.quit());

  const kafka = createKafka({ clientId: name, brokers: settings.KAFKA_BROKERS, log, security: settings });
  const producer = createProducer(kafka);
  await reach("KAFKA_BROKERS", "Kafka", () => producer.connect());
  lifecycle.onStop("kafka producer", () => producer.disconnect());
  const admin = kafka.admin();
  await reach("KAFKA_BROKERS", "Kafka", () => admin.connect());
  lifecycle.onStop("kafka admin", () => admin.disconnect());

  await refuseOn(
    () => mysqlProblem(sequelize, MIGRATIONS),
    () => redisProblem(redis, settings.NODE_ENV === "production"),
    () => kafkaProblem(admin, settings.KAFKA_TOPIC_REPLICATION),
  );
  return { sequelize, redis, kafka, producer, admin };
}
