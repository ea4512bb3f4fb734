import { Cluster } from "ioredis";
import type { RedisClient } from "./client.ts";

/**
 * Refuses a Redis that may lose what it promised (contract §6): eviction drops reservations, and without an
 * append-only file an acknowledged reservation is gone after a crash.
 * @returns one sentence that names the setting, or undefined when all is well
 */
export async function redisProblem(client: RedisClient, production: boolean): Promise<string | undefined> {
  if (!(client instanceof Cluster) && /^cluster_enabled:1/m.test(await client.info("cluster"))) {
    return "REDIS_URL: this Redis is part of a cluster; give addresses of several of its nodes.";
  }
  const policy = await setting(client, "maxmemory-policy");
  if (policy !== "noeviction") {
    return `REDIS_URL: this Redis may evict keys (maxmemory-policy is ${policy}); set maxmemory-policy to noeviction.`;
  }
  if (production && (await setting(client, "appendonly")) !== "yes") {
    return "REDIS_URL: this Redis keeps no append-only file; set appendonly to yes, production refuses to run without.";
  }
  return undefined;
}

async function setting(client: RedisClient, name: string): Promise<string> {
  const reply = (await client.config("GET", name)) as string[];
  return reply[1] ?? "unknown";
}
