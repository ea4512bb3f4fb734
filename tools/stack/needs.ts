import { JAVA_MAJOR_MIN, REDIS_MIN, type Found } from "./find-programs.ts";
import type { ServerName } from "./server.ts";

export type Program = "mysql" | "redis" | "java" | "maven";

const PROGRAMS: Record<Program, { server: ServerName; label: string; debian: string; homebrew: string }> = {
  mysql: {
    server: "mysql",
    label: "MariaDB 10.6 or MySQL 8.0, or newer (mariadbd or mysqld)",
    debian: "mariadb-server",
    homebrew: "mariadb",
  },
  redis: {
    server: "redis",
    label: `Redis ${REDIS_MIN} or newer (redis-server)`,
    debian: "redis-server",
    homebrew: "redis",
  },
  java: {
    server: "kafka",
    label: `Java ${String(JAVA_MAJOR_MIN)} or newer (java)`,
    debian: "openjdk-21-jre-headless|openjdk-17-jre-headless|openjdk-25-jre-headless",
    homebrew: "openjdk",
  },
  maven: { server: "kafka", label: "Apache Maven (mvn)", debian: "maven", homebrew: "maven" },
};

/** Which programs the wanted servers lack. Maven is needed only to fetch Kafka, once. */
export function missingPrograms(
  servers: readonly ServerName[],
  found: Found,
  jarsCached: boolean,
): Program[] {
  const present: Record<Program, boolean> = {
    mysql: found.mysql !== undefined,
    redis: found.redis !== undefined,
    java: found.java !== undefined,
    maven: found.maven !== undefined || jarsCached,
  };
  return programs().filter((program) => servers.includes(PROGRAMS[program].server) && !present[program]);
}

export function packagesFor(missing: readonly Program[]): string[] {
  return missing.map((program) => PROGRAMS[program].debian);
}

export function serversMissing(missing: readonly Program[]): ServerName[] {
  return [...new Set(missing.map((program) => PROGRAMS[program].server))];
}

/** Everything to install, at once: nobody wants to learn it one failed start at a time. */
export function describeMissing(missing: readonly Program[]): string {
  const labels = missing.map((program) => PROGRAMS[program].label).join(", ");
  const debian = packagesFor(missing).map((choice) => choice.split("|")[0]);
  const homebrew = missing.map((program) => PROGRAMS[program].homebrew);
  return (
    `FlashPay needs ${labels}: install it (Debian, Ubuntu: sudo apt-get install ${debian.join(" ")}; ` +
    `macOS: brew install ${homebrew.join(" ")}), or start Docker, ` +
    "or name servers with MYSQL_HOST, REDIS_URL and KAFKA_BROKERS."
  );
}

function programs(): Program[] {
  return Object.keys(PROGRAMS) as Program[];
}
