import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { Redis } from "ioredis";
import type { Connection } from "mysql2/promise";
import { buildIfNeeded } from "../stack/build.ts";
import { openHome, type Home } from "../stack/home.ts";
import { migrate } from "../stack/migrate.ts";
import { openPorts, type Ports } from "../stack/ports.ts";
import type { Report } from "../stack/report.ts";
import { startServers, type Servers } from "../stack/servers.ts";
import { createTopics } from "../stack/topics.ts";
import { openDatabase } from "./connect.ts";
import type { Roles } from "./cpu.ts";
import { prepareYardsticks, type YardstickPlaces } from "./yardsticks/places.ts";

const SECRET_BYTES = 48;

/** The private servers of a bench, and what is needed to run and to look into anything on them. */
export interface Site {
  readonly home: Home;
  readonly temporary: string;
  readonly env: NodeJS.ProcessEnv;
  readonly servers: Servers;
  readonly ports: Ports;
  readonly jwtSecret: string;
  /** FlashPay's own database. */
  readonly database: Connection;
  /** FlashPay's own keyspace. */
  readonly redis: Redis;
  readonly yardsticks: YardstickPlaces;
  readonly report: Report;
  /** Where FlashPay's programs write CPU profiles; undefined: nowhere. */
  readonly profiles: string | undefined;
  /** The servers' processes. */
  readonly roles: Roles;
  close(): Promise<void>;
}

export interface SiteOptions {
  readonly temporary: string;
  readonly env: NodeJS.ProcessEnv;
  readonly report: Report;
  readonly profiles: string | undefined;
}

export async function openSite({ temporary, env, report, profiles }: SiteOptions): Promise<Site> {
  await buildIfNeeded(env, report);
  const folder = join(temporary, "bench");
  const home = openHome(folder);
  const servers = await startServers({ home: folder, env, report });
  await createTopics(servers.kafka.brokers, 1);
  await migrate(servers.mysql, env);
  const database = await openDatabase(servers.mysql);
  const redis = new Redis(servers.redis.url);
  const yardsticks = await prepareYardsticks(servers, database);
  report("database is migrated, topics are there");
  return {
    ...{ home, temporary, env, servers, database, redis, yardsticks, report, profiles },
    ports: openPorts(home),
    jwtSecret: randomBytes(SECRET_BYTES).toString("base64url"),
    roles: rolesOf(servers),
    async close() {
      redis.disconnect();
      await database.end();
      await yardsticks.close();
      await servers.stop();
    },
  };
}

/** A server that the environment names runs elsewhere: what it costs is not known here. */
function rolesOf({ mysql: db, redis, kafka }: Servers): Roles {
  const known = Object.entries({ mysql: db.pid, redis: redis.pid, kafka: kafka.pid });
  return Object.fromEntries(known.flatMap(([role, pid]) => (pid === undefined ? [] : [[role, [pid]]])));
}
