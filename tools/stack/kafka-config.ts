/** The texts that an Apache Kafka broker is configured by: one process that is broker and controller at once (KRaft). */

export const LOG_SETTINGS = [
  "status = error",
  "appender.out.type = Console",
  "appender.out.name = OUT",
  "appender.out.layout.type = PatternLayout",
  "appender.out.layout.pattern = %d{ISO8601} %p %m (%c)%n",
  "rootLogger.level = warn",
  "rootLogger.appenderRef.out.ref = OUT",
  "",
].join("\n");

const RETENTION_HOURS = 7 * 24;
/**
 * After a kill -9 the controller lets a broker of the same id in only when the session of its former life is over: 9 s by
 * default. The two share one process here, so a short session cannot fence a broker that is well.
 */
const BROKER_SESSION_MS = 3_000;
const BROKER_HEARTBEAT_MS = 500;

export function serverSettings(data: string, port: number, controllerPort: number): string {
  const settings = {
    "process.roles": "broker,controller",
    "node.id": 1,
    "controller.quorum.voters": `1@127.0.0.1:${String(controllerPort)}`,
    listeners: `PLAINTEXT://127.0.0.1:${String(port)},CONTROLLER://127.0.0.1:${String(controllerPort)}`,
    "advertised.listeners": `PLAINTEXT://127.0.0.1:${String(port)}`,
    "controller.listener.names": "CONTROLLER",
    "inter.broker.listener.name": "PLAINTEXT",
    "broker.session.timeout.ms": BROKER_SESSION_MS,
    "broker.heartbeat.interval.ms": BROKER_HEARTBEAT_MS,
    "log.dirs": data.replaceAll("\\", "\\\\"),
    "log.retention.hours": RETENTION_HOURS,
    "auto.create.topics.enable": false,
    "default.replication.factor": 1,
    "offsets.topic.replication.factor": 1,
    "offsets.topic.num.partitions": 8,
    "transaction.state.log.replication.factor": 1,
    "transaction.state.log.min.isr": 1,
    "transaction.state.log.num.partitions": 2,
    "share.coordinator.state.topic.replication.factor": 1,
    "share.coordinator.state.topic.min.isr": 1,
    "group.initial.rebalance.delay.ms": 0,
  };
  return Object.entries(settings)
    .map(([key, value]) => `${key}=${String(value)}\n`)
    .join("");
}
