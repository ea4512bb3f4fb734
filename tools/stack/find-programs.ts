import { accessSync, constants, readdirSync, statSync } from "node:fs";
import { delimiter, join } from "node:path";
import { run } from "./command.ts";
import { parseEngine, type Engine } from "./mysql-engine.ts";
import { compareVersions } from "./versions.ts";

export const JAVA_MAJOR_MIN = 17;
export const REDIS_MIN = "7.0.0";
const MARIADB_MIN = "10.6.0";
const MYSQL_MIN = "8.0.0";

/** Where servers live that an ordinary PATH does not name. */
const SYSTEM_FOLDERS = ["/usr/sbin", "/usr/local/sbin", "/usr/bin", "/usr/local/bin", "/opt/homebrew/bin"];
const JVM_FOLDER = "/usr/lib/jvm";

export type Found = {
  mysql?: Engine;
  redis?: { path: string; version: string };
  java?: string;
  maven?: string;
};

export function searchPath(env: NodeJS.ProcessEnv): string[] {
  return [...new Set([...(env["PATH"] ?? "").split(delimiter).filter(Boolean), ...SYSTEM_FOLDERS])];
}

/** What is installed and new enough. A program that is too old is as good as missing. */
export async function findPrograms(folders: readonly string[], env: NodeJS.ProcessEnv): Promise<Found> {
  const [mysql, redis, java] = await Promise.all([
    findMysql(folders),
    findRedis(folders),
    findJava(folders, env),
  ]);
  const maven = findAll(folders, "mvn")[0];
  return {
    ...(mysql && { mysql }),
    ...(redis && { redis }),
    ...(java !== undefined && { java }),
    ...(maven !== undefined && { maven }),
  };
}

export function findAll(folders: readonly string[], name: string): string[] {
  return folders.map((folder) => join(folder, name)).filter(isExecutable);
}

async function findMysql(folders: readonly string[]): Promise<Engine | undefined> {
  for (const path of [...findAll(folders, "mariadbd"), ...findAll(folders, "mysqld")]) {
    const engine = parseEngine(path, (await run(path, ["--no-defaults", "--version"])).output);
    if (!engine) continue;
    if (compareVersions(engine.version, engine.kind === "MariaDB" ? MARIADB_MIN : MYSQL_MIN) >= 0)
      return engine;
  }
  return undefined;
}

async function findRedis(folders: readonly string[]): Promise<Found["redis"]> {
  for (const path of findAll(folders, "redis-server")) {
    const version = /v=(\d+\.\d+\.\d+)/.exec((await run(path, ["--version"])).output)?.[1];
    if (version !== undefined && compareVersions(version, REDIS_MIN) >= 0) return { path, version };
  }
  return undefined;
}

/** JAVA_HOME first, then the PATH, then whatever Debian keeps beside an older default. */
async function findJava(folders: readonly string[], env: NodeJS.ProcessEnv): Promise<string | undefined> {
  const home = env["JAVA_HOME"];
  const beside = folders.includes("/usr/bin") ? installedJvms() : [];
  const candidates = [...(home === undefined ? [] : [join(home, "bin")]), ...folders, ...beside];
  for (const path of findAll(candidates, "java")) {
    const major = Number(/version "(\d+)/.exec((await run(path, ["-version"])).output)?.[1] ?? 0);
    if (major >= JAVA_MAJOR_MIN) return path;
  }
  return undefined;
}

function installedJvms(): string[] {
  try {
    return readdirSync(JVM_FOLDER).map((name) => join(JVM_FOLDER, name, "bin"));
  } catch {
    return [];
  }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
