import { mkdirSync } from "node:fs";
import { Redis } from "ioredis";
import { reason, StackFailure } from "./failure.ts";
import { writePrivately } from "./files.ts";
import type { Home } from "./home.ts";
import { startService, type Server } from "./server.ts";
import type { Secrets } from "./secrets.ts";

export type RedisServer = Server & { url: string };

const READY_DEADLINE_MS = 60_000;
const STOP_DEADLINE_MS = 15_000;
const COMMAND_TIMEOUT_MS = 2_000;

/** A private Redis that forgets nothing: append-only file on, no eviction. */
export async function startRedis(
  home: Home,
  program: { path: string; version: string },
  secrets: Secrets,
  port: number,
): Promise<RedisServer> {
  const data = home.at("redis");
  mkdirSync(data, { recursive: true, mode: 0o700 });
  const config = home.at("redis.conf");
  writePrivately(config, configuration(data, port, secrets.redisPassword));
  const url = privateRedisUrl(port, secrets);
  const server = await startService(home, {
    name: "redis",
    title: "Redis",
    label: `Redis ${program.version} on 127.0.0.1:${String(port)}`,
    port,
    launch: { command: program.path, args: [config], cwd: home.path, env: process.env },
    probe: () => ping(url),
    readyDeadlineMs: READY_DEADLINE_MS,
    stopDeadlineMs: STOP_DEADLINE_MS,
    complaint: / # |FATAL|Can't|Bad file format|Error/,
  });
  return Object.assign(server, { url });
}

export function privateRedisUrl(port: number, secrets: Secrets): string {
  return `redis://:${secrets.redisPassword}@127.0.0.1:${String(port)}`;
}

/** The servers that REDIS_URL names: one address, or several of a cluster. */
export async function checkNamedRedis(urls: string): Promise<void> {
  const first = urls.split(",")[0] ?? urls;
  try {
    await ping(first.trim());
  } catch (error) {
    throw new StackFailure(
      `Redis at ${withoutPassword(first)}, named by REDIS_URL, cannot be used: ${reason(error)}.`,
    );
  }
}

/** PONG comes only after the append-only file is loaded. */
export async function ping(url: string): Promise<void> {
  const redis = new Redis(url, {
    lazyConnect: true,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
    connectTimeout: COMMAND_TIMEOUT_MS,
    commandTimeout: COMMAND_TIMEOUT_MS,
  });
  let cause: unknown;
  redis.on("error", (error) => {
    cause = error; // connect() itself only says that the connection is closed
  });
  try {
    await redis.connect();
    await redis.ping();
  } catch (error) {
    throw cause ?? error;
  } finally {
    redis.disconnect();
  }
}

export function withoutPassword(url: string): string {
  return url.trim().replace(/\/\/[^@/]*@/, "//");
}

function configuration(data: string, port: number, password: string): string {
  return [
    "bind 127.0.0.1",
    "protected-mode yes",
    `port ${String(port)}`,
    `requirepass ${password}`,
    `dir ${JSON.stringify(data)}`,
    "daemonize no",
    'logfile ""',
    "appendonly yes",
    "appendfsync everysec",
    "aof-load-truncated yes",
    'save ""',
    "maxmemory-policy noeviction",
    "",
  ].join("\n");
}
