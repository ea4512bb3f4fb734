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

/** A further door of the broker: who comes in here is told that the broker is at `advertisedPort`, where a proxy may stand. */
export type Door = { port: number; advertisedPort: number };

export type BrokerWish = {
  doors?: readonly Door[];
  /** Settings that differ from those below. */
  settings?: Readonly<Record<string, string | number>>;
};

export function serverSettings(
  data: string,
  {
    port,
    controllerPort,
    doors = [],
    settings: different = {},
  }: BrokerWish & {
    port: number;
    controllerPort: number;
  },
): string {
  const listener = (name: string, at: number): string => `${name}://127.0.0.1:${String(at)}`;
  const plain = listener("PLAINTEXT", port);
  const controller = listener("CONTROLLER", controllerPort);
  const door = (i: number): string => `DOOR${String(i)}`;
  const settings = {
    "process.roles": "broker,controller",
    "node.id": 1,
    "controller.quorum.voters": `1@127.0.0.1:${String(controllerPort)}`,
    listeners: [plain, controller, ...doors.map((at, i) => listener(door(i), at.port))].join(),
    "advertised.listeners": [plain, ...doors.map((at, i) => listener(door(i), at.advertisedPort))].join(),
    "listener.security.protocol.map": ["PLAINTEXT", "CONTROLLER", ...doors.map((_, i) => door(i))]
      .map((name) => `${name}:PLAINTEXT`)
      .join(),
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
    ...different,
  };
  return Object.entries(settings)
    .map(([key, value]) => `${key}=${String(value)}\n`)
    .join("");
}
