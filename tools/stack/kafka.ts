import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { Kafka, logLevel } from "kafkajs";
import { lastLineOf, run } from "./command.ts";
import { reason, StackFailure } from "./failure.ts";
import { readStrings, writeJson, writePrivately } from "./files.ts";
import type { Home } from "./home.ts";
import { LOG_SETTINGS, serverSettings, type BrokerWish } from "./kafka-config.ts";
import { kafkaVersion } from "./kafka-jars.ts";
import { startService, type Server } from "./server.ts";

export type KafkaServer = Server & { brokers: string };

const READY_DEADLINE_MS = 90_000;
const STOP_DEADLINE_MS = 20_000;
const CLUSTER_ID_BYTES = 16;
const CONNECT_TIMEOUT_MS = 1_000;
const REQUEST_TIMEOUT_MS = 3_000;

type Launcher = { java: string; jars: string };
type KafkaPorts = { port: number; controllerPort: number };

/** A private Apache Kafka of one node, which is broker and controller. */
export async function startKafka(
  home: Home,
  { java, jars }: Launcher,
  ports: KafkaPorts,
  wish: BrokerWish = {},
): Promise<KafkaServer> {
  const { port } = ports;
  const logSettings = home.at("kafka-log4j2.properties");
  const settings = home.at("kafka.properties");
  writePrivately(logSettings, LOG_SETTINGS);
  const jvm = [
    `-Dlog4j2.configurationFile=${logSettings}`,
    "-Djava.awt.headless=true",
    "-cp",
    join(jars, "*"),
  ];
  const data = await prepareData(home, (unfinished) => {
    writePrivately(settings, serverSettings(unfinished, { ...wish, ...ports }));
    return { java, args: [...jvm, "kafka.tools.StorageTool", "format", "-c", settings, "-t"] };
  });
  writePrivately(settings, serverSettings(data, { ...wish, ...ports }));
  const brokers = `127.0.0.1:${String(port)}`;
  const server = await startService(home, {
    name: "kafka",
    title: "Apache Kafka",
    label: `Apache Kafka ${kafkaVersion()} on ${brokers}`,
    port,
    launch: {
      command: java,
      args: ["-Xms128m", "-Xmx512m", "-XX:+ExitOnOutOfMemoryError", ...jvm, "kafka.Kafka", settings],
      cwd: home.path,
      env: process.env,
    },
    probe: () => listTopics(brokers),
    readyDeadlineMs: READY_DEADLINE_MS,
    stopDeadlineMs: STOP_DEADLINE_MS,
    complaint: / (ERROR|FATAL) |Exception|Error: /,
  });
  return Object.assign(server, { brokers });
}

/** The brokers that KAFKA_BROKERS names. */
export async function checkNamedKafka(brokers: string): Promise<void> {
  try {
    await listTopics(brokers);
  } catch (error) {
    throw new StackFailure(`Kafka at ${brokers}, named by KAFKA_BROKERS, cannot be used: ${reason(error)}.`);
  }
}

/** Ready means: a broker is registered and answers about topics, not only that its port is open. */
export async function listTopics(brokers: string): Promise<void> {
  const admin = new Kafka({
    clientId: "flashpay-launcher",
    brokers: brokers.split(",").map((broker) => broker.trim()),
    logLevel: logLevel.NOTHING,
    connectionTimeout: CONNECT_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    retry: { retries: 0 },
  }).admin();
  try {
    await admin.connect();
    const cluster = await admin.describeCluster();
    if (cluster.brokers.length === 0) throw new Error("no broker has registered");
    await admin.listTopics();
  } finally {
    await admin.disconnect().catch(() => undefined);
  }
}

/** Formats the storage in a place of its own and moves it when it is whole; keeps its cluster id, and insists on it. */
async function prepareData(
  home: Home,
  formatter: (unfinished: string) => { java: string; args: string[] },
): Promise<string> {
  const folder = home.at("kafka");
  const data = join(folder, "data");
  if (existsSync(folder)) {
    const complaint = clusterComplaint(folder);
    if (complaint !== undefined) throw new StackFailure(complaint);
    return data;
  }
  const unfinished = home.at("kafka.unfinished");
  rmSync(unfinished, { recursive: true, force: true });
  mkdirSync(unfinished, { mode: 0o700 });
  const clusterId = randomClusterId();
  const { java, args } = formatter(join(unfinished, "data"));
  const result = await run(java, [...args, clusterId]);
  if (!result.ok)
    throw new StackFailure(
      `Apache Kafka could not format its storage: ${lastLineOf(result.output, /Exception|rror/)}`,
    );
  writeJson(join(unfinished, "stamp.json"), { clusterId });
  renameSync(unfinished, folder);
  return data;
}

function clusterComplaint(folder: string): string | undefined {
  const { clusterId } = readStrings(join(folder, "stamp.json"));
  const away = `move ${folder} away to begin with an empty log`;
  const properties = join(folder, "data/meta.properties");
  if (clusterId === undefined || !existsSync(properties))
    return `${folder} was not made by FlashPay: ${away}.`;
  const found = /^cluster\.id=(.*)$/m.exec(readFileSync(properties, "utf8"))?.[1];
  if (found === clusterId) return undefined;
  return `${folder} belongs to another Kafka cluster (${found ?? "without an id"} instead of ${clusterId}): ${away}.`;
}

/** Kafka refuses an id that begins with a dash: its own tools would take it for an option. */
function randomClusterId(): string {
  return randomBytes(CLUSTER_ID_BYTES).toString("base64url").replace(/^-/, "A");
}
