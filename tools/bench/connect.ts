import { Kafka, logLevel } from "kafkajs";
import mysql, { type Connection } from "mysql2/promise";
import type { MysqlAddress } from "../stack/mysql.ts";

export function openDatabase({ host, port, user, password, database }: MysqlAddress): Promise<Connection> {
  return mysql.createConnection({ host, port, user, password, database });
}

export function openKafka(brokers: string): Kafka {
  return new Kafka({ clientId: "flashpay-bench", brokers: [brokers], logLevel: logLevel.NOTHING });
}
