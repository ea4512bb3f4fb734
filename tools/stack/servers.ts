import { StackFailure } from "./failure.ts";
import { openCompose } from "./docker.ts";
import { cacheFolder, type Home } from "./home.ts";
import type { BrokerWish } from "./kafka-config.ts";
import { fetchJars, jarsAreCached } from "./kafka-jars.ts";
import { checkNamedKafka, listTopics, startKafka, type KafkaServer } from "./kafka.ts";
import { checkNamedMysql, logIn, namedMysql, privateMysql, startMysql, type MysqlServer } from "./mysql.ts";
import { withFilesRead } from "./named-settings.ts";
import { occupyHome, type OccupiedHome } from "./occupy.ts";
import { openPorts } from "./ports.ts";
import { provision, type Provision } from "./provision.ts";
import {
  checkNamedRedis,
  ping,
  privateRedisUrl,
  startRedis,
  withoutPassword,
  type RedisServer,
} from "./redis.ts";
import type { Report } from "./report.ts";
import { openSecrets, type Secrets } from "./secrets.ts";
import type { Server, ServerName } from "./server.ts";

export type Servers = {
  mysql: MysqlServer;
  redis: RedisServer;
  kafka: KafkaServer;
  stop: () => Promise<void>;
};

export type StartServersOptions = {
  /** A folder, or one that the caller has occupied already and releases itself. */
  home: string | OccupiedHome;
  env: NodeJS.ProcessEnv;
  report: Report;
  /** What a private broker is to do differently. */
  broker?: BrokerWish;
};

/** Everything that starting one server may need. */
type Site = {
  home: Home;
  env: NodeJS.ProcessEnv;
  secrets: Secrets;
  ports: Record<ServerName, number>;
  controllerPort: number;
  programs: Provision;
  report: Report;
  broker: BrokerWish;
};

const SETTING: Record<ServerName, string> = {
  mysql: "MYSQL_HOST",
  redis: "REDIS_URL",
  kafka: "KAFKA_BROKERS",
};

/** The private server has accounts of the programs' own; of a named one only its operator can make them. */
const ALL_RIGHTS =
  "API or worker will use MYSQL_USER, which owns the tables and may do everything: MYSQL_API_USER and MYSQL_WORKER_USER name accounts with less (docs/deployment.md)";

/**
 * Gives the stack its three servers: those the environment names as they are, for each other one a private instance on a free
 * port of 127.0.0.1. All or none: when one does not come up, the others are stopped before the reason is thrown.
 */
export async function startServers({
  home,
  env,
  report,
  broker = {},
}: StartServersOptions): Promise<Servers> {
  if (typeof home !== "string") return startAll(await openSite(home, env, report, broker));
  const occupied = await occupyHome(home, report);
  try {
    const servers = await startAll(await openSite(occupied, env, report, broker));
    const stop = async (): Promise<void> => {
      await servers.stop();
      occupied.release();
    };
    return { ...servers, stop };
  } catch (error) {
    occupied.release();
    throw error;
  }
}

async function startAll(site: Site): Promise<Servers> {
  const started: Server[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(started.map((server) => server.stop()));
  };
  const keep = async <S extends Server>(starting: Promise<S>): Promise<S> => {
    const server = await starting;
    started.push(server);
    site.report(server.label);
    return server;
  };
  // The three start together; each result is looked at only when all are settled, so that none is left behind.
  const mysqlStart = keep(openMysql(site));
  const redisStart = keep(openRedis(site));
  const kafkaStart = keep(openKafka(site));
  await Promise.allSettled([mysqlStart, redisStart, kafkaStart]);
  try {
    return { mysql: await mysqlStart, redis: await redisStart, kafka: await kafkaStart, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function openSite(
  home: Home,
  given: NodeJS.ProcessEnv,
  report: Report,
  broker: BrokerWish,
): Promise<Site> {
  const env = withFilesRead(given);
  const wanted = (["mysql", "redis", "kafka"] as const).filter((name) => !env[SETTING[name]]);
  const jarsCached = jarsAreCached(cacheFolder(env));
  const programs = await provision(home, { servers: wanted, jarsCached }, env, report);
  const known = openPorts(home);
  const ports = {
    mysql: await known.claim("mysql"),
    redis: await known.claim("redis"),
    kafka: await known.claim("kafka"),
  };
  const controllerPort = await known.claim("kafka-controller");
  return { home, env, secrets: openSecrets(home), ports, controllerPort, programs, report, broker };
}

async function openMysql(site: Site): Promise<MysqlServer> {
  const { home, env, secrets, programs } = site;
  const host = env["MYSQL_HOST"];
  if (host) {
    const address = namedMysql(env, host);
    await checkNamedMysql(address);
    if (!env["MYSQL_API_USER"] || !env["MYSQL_WORKER_USER"]) site.report(ALL_RIGHTS);
    return Object.assign(namedServer("mysql", `MySQL named by MYSQL_HOST: ${host}`, address.port), address);
  }
  const port = site.ports.mysql;
  const address = privateMysql(port, secrets);
  if (programs.docker.includes("mysql")) {
    const server = await composeFor(site).start("mysql", () => logIn(address));
    return Object.assign(server, address);
  }
  return startMysql(home, required(programs.found.mysql), secrets, port);
}

async function openRedis(site: Site): Promise<RedisServer> {
  const { home, env, secrets, programs } = site;
  const urls = env["REDIS_URL"];
  if (urls) {
    await checkNamedRedis(urls);
    return Object.assign(namedServer("redis", `Redis named by REDIS_URL: ${withoutPassword(urls)}`, 0), {
      url: urls,
    });
  }
  const port = site.ports.redis;
  if (programs.docker.includes("redis")) {
    const url = privateRedisUrl(port, secrets);
    return Object.assign(await composeFor(site).start("redis", () => ping(url)), { url });
  }
  return startRedis(home, required(programs.found.redis), secrets, port);
}

async function openKafka(site: Site): Promise<KafkaServer> {
  const { home, env, programs, controllerPort, report, broker } = site;
  const named = env["KAFKA_BROKERS"];
  if (named) {
    await checkNamedKafka(named);
    return Object.assign(namedServer("kafka", `Kafka named by KAFKA_BROKERS: ${named}`, 0), {
      brokers: named,
    });
  }
  const port = site.ports.kafka;
  if (programs.docker.includes("kafka")) {
    const brokers = `127.0.0.1:${String(port)}`;
    return Object.assign(await composeFor(site).start("kafka", () => listTopics(brokers)), { brokers });
  }
  const jars = await fetchJars(cacheFolder(env), programs.found.maven ?? "mvn", report);
  return startKafka(home, { java: required(programs.found.java), jars }, { port, controllerPort }, broker);
}

function composeFor({ home, secrets, ports, env }: Site) {
  return openCompose(home, secrets, ports, env);
}

/** A server of somebody else: used as it is, never stopped. */
function namedServer(name: ServerName, label: string, port: number): Server {
  const notOurs = (): never => {
    throw new StackFailure(`${label} is not this launcher's to control.`);
  };
  return {
    ...{ name, label, port, pid: undefined, kill: notOurs, restart: notOurs },
    stop: () => Promise.resolve(),
    exited: () => new Promise(() => undefined),
    onDeath: () => undefined,
  };
}

/** Provisioning has seen to it. */
function required<T>(found: T | undefined): T {
  if (found === undefined) throw new Error("a program that provisioning promised is missing");
  return found;
}
