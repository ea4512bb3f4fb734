import { API_USER, WORKER_USER } from "../../tools/stack/mysql-engine.ts";
import type { MysqlAddress } from "../../tools/stack/mysql.ts";

/** Where the servers are that a sandbox stands on. */
export interface Addresses {
  readonly mysql: MysqlAddress;
  readonly redisUrl: string;
  readonly kafkaBrokers: string;
}

/** The servers that `npm test` has started for all specs. */
export function sharedServers(): Addresses {
  return {
    mysql: {
      host: named("TEST_MYSQL_HOST"),
      port: Number(named("TEST_MYSQL_PORT")),
      user: named("TEST_MYSQL_USER"),
      password: named("TEST_MYSQL_PASSWORD"),
      database: named("TEST_MYSQL_DATABASE"),
      accounts: {
        api: { user: API_USER, password: named("TEST_MYSQL_API_PASSWORD") },
        worker: { user: WORKER_USER, password: named("TEST_MYSQL_WORKER_PASSWORD") },
      },
    },
    redisUrl: named("TEST_REDIS_URL"),
    kafkaBrokers: named("TEST_KAFKA_BROKERS"),
  };
}

/** The shared MySQL as its administrator, for settings that hold for the whole server. */
export function mysqlRoot(): MysqlAddress {
  return { ...sharedServers().mysql, user: "root", password: named("TEST_MYSQL_ROOT_PASSWORD") };
}

/** The same servers as `startServers` takes them: named, so that it starts only the others. */
export function asNamed(...which: ("mysql" | "redis" | "kafka")[]): NodeJS.ProcessEnv {
  const { mysql, redisUrl, kafkaBrokers } = sharedServers();
  return {
    ...(which.includes("mysql") && {
      MYSQL_HOST: mysql.host,
      MYSQL_PORT: String(mysql.port),
      MYSQL_USER: mysql.user,
      MYSQL_PASSWORD: mysql.password,
      MYSQL_DATABASE: mysql.database,
    }),
    ...(which.includes("redis") && { REDIS_URL: redisUrl }),
    ...(which.includes("kafka") && { KAFKA_BROKERS: kafkaBrokers }),
  };
}

function named(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: run this spec with npm test -- --no-check <file>.`);
  return value;
}
