import { Kafka, logLevel, type KafkaConfig, type LogEntry, type Producer, type SASLOptions } from "kafkajs";
import type { SharedSettings } from "../config.ts";
import type { Log } from "../domain/ports.ts";
import { byTurn } from "./partitioner.ts";

const CONNECTION_TIMEOUT_MS = 1_000;
const REQUEST_TIMEOUT_MS = 2_000;
/** With the request timeout these bound how late a produce can still reach the log: see PRODUCE_SETTLED_MS. */
const RETRIES_MAX = 2;
const RETRY_DELAY_MS = 100;
const RETRY_DELAY_MAX_MS = 400;

/** Of a log-in at a broker: the mechanism, and two steps of SCRAM. */
const SASL_REQUESTS_MAX = 3;

/**
 * After this long, a produce that was ever started has reached the log or never will (requests × timeout, and the
 * delays between them), where brokers ask nobody who they are. What rebuilds counters from the log's end waits for it first.
 */
export const PRODUCE_SETTLED_MS =
  (RETRIES_MAX + 1) * (REQUEST_TIMEOUT_MS + CONNECTION_TIMEOUT_MS) + RETRIES_MAX * RETRY_DELAY_MAX_MS;

/** The same where each new connection logs in first. */
export const produceSettledMs = ({ KAFKA_SASL_USERNAME }: Partial<KafkaSecurity>): number =>
  PRODUCE_SETTLED_MS +
  (KAFKA_SASL_USERNAME === undefined ? 0 : (RETRIES_MAX + 1) * SASL_REQUESTS_MAX * REQUEST_TIMEOUT_MS);

export interface KafkaOptions {
  readonly clientId: string;
  /** host:port, comma separated. */
  readonly brokers: string;
  readonly log: Log;
  /** Undefined: in clear, to brokers that ask nobody who they are. */
  readonly security?: KafkaSecurity;
}

/** As the settings say it. */
export type KafkaSecurity = Pick<
  SharedSettings,
  "KAFKA_TLS" | "KAFKA_SASL_MECHANISM" | "KAFKA_SASL_USERNAME" | "KAFKA_SASL_PASSWORD"
>;

export function createKafka({ clientId, brokers, log, security = {} }: KafkaOptions): Kafka {
  return new Kafka({
    clientId,
    ...securityOf(security),
    brokers: brokers.split(",").map((broker) => broker.trim()),
    connectionTimeout: CONNECTION_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    enforceRequestTimeout: true,
    retry: { retries: RETRIES_MAX, initialRetryTime: RETRY_DELAY_MS, maxRetryTime: RETRY_DELAY_MAX_MS },
    logLevel: logLevel.WARN,
    logCreator: () => (entry: LogEntry) => {
      const { message, timestamp: _timestamp, logger: _logger, ...fields } = entry.log;
      // kafkajs calls ERROR what it goes on to retry; what is left over reaches our own error handling.
      log.warn({ kafka: entry.namespace, ...fields }, message);
    },
  });
}

/** TLS with Node.js' own authorities and NODE_EXTRA_CA_CERTS, each broker held to its name. */
export function securityOf(settings: KafkaSecurity): Pick<KafkaConfig, "ssl" | "sasl"> {
  const { KAFKA_SASL_MECHANISM: mechanism = "scram-sha-512" } = settings;
  const { KAFKA_SASL_USERNAME: username, KAFKA_SASL_PASSWORD: password = "" } = settings;
  return {
    ...(settings.KAFKA_TLS === "on" && { ssl: { minVersion: "TLSv1.2" } }),
    ...(username !== undefined && { sasl: { mechanism, username, password } as SASLOptions }),
  };
}

/** Not `idempotent`: see order-events.ts. */
export function createProducer(kafka: Kafka): Producer {
  return kafka.producer({
    allowAutoTopicCreation: false,
    idempotent: false,
    createPartitioner: byTurn,
  });
}
