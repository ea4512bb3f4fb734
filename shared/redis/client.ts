import { readFileSync } from "node:fs";
import { Cluster, Redis } from "ioredis";

export type RedisClient = Redis | Cluster;

/** A reply that takes longer is an unknown outcome, and every script here may be called again. */
const COMMAND_TIMEOUT_MS = 500;
const CONNECT_TIMEOUT_MS = 2_000;
const RECONNECT_DELAY_MAX_MS = 1_000;

export interface RedisOptions {
  /** One address, or several (commas): a cluster. `redis://` or `rediss://`, password included. */
  readonly url: string;
  readonly name: string;
  readonly onError: (error: Error) => void;
}

/**
 * Connects, or rejects. Commands fail at once while the connection is away (no offline queue): a buyer who waits for
 * Redis would rather hear not_ready. Unanswered ones fail, too, and are not sent again: their outcome is unknown.
 */
export async function connectRedis({ url, name, onError }: RedisOptions): Promise<RedisClient> {
  const addresses = url.split(",").map((address) => address.trim());
  const common = {
    connectionName: name,
    commandTimeout: COMMAND_TIMEOUT_MS,
    connectTimeout: CONNECT_TIMEOUT_MS,
    maxRetriesPerRequest: 1,
    // The first copy may come after one that is sent again: "nothing was taken" would be heard of units that are.
    autoResendUnfulfilledCommands: false,
    enableAutoPipelining: true,
    enableOfflineQueue: false,
    lazyConnect: true,
  };
  const backOff = (attempt: number) => Math.min(attempt * 50, RECONNECT_DELAY_MAX_MS);
  const first = addresses[0] ?? "";
  const client =
    addresses.length > 1
      ? new Cluster(addresses, {
          redisOptions: { ...common, ...credentialsOf(first) },
          enableAutoPipelining: true,
          enableOfflineQueue: false,
          lazyConnect: true,
          clusterRetryStrategy: backOff,
        })
      : new Redis(first, { ...common, retryStrategy: backOff });
  client.on("error", onError);
  try {
    await client.connect();
    return client;
  } catch (error) {
    // Else it would go on trying behind the caller's back.
    client.disconnect();
    throw error;
  }
}

/**
 * A connection that only listens (SUBSCRIBE takes no other commands); it comes back by itself, and its owner subscribes each
 * time it is "ready": ioredis' own way of doing that ends the process when Redis refuses.
 */
export function listeningClient(client: RedisClient): RedisClient {
  const patient = { enableOfflineQueue: true, lazyConnect: false, autoResubscribe: false };
  if (client instanceof Cluster) return client.duplicate(undefined, { ...patient, redisOptions: patient });
  return client.duplicate({ ...patient, maxRetriesPerRequest: null, commandTimeout: undefined });
}

function credentialsOf(address: string): { username?: string; password?: string; tls?: object } {
  const { username, password, protocol } = new URL(address);
  return {
    ...(username && { username: decodeURIComponent(username) }),
    ...(password && { password: decodeURIComponent(password) }),
    ...(protocol === "rediss:" && { tls: {} }),
  };
}

export type Script = (...keysAndArguments: (string | number)[]) => Promise<unknown>;
/** Orders of one call of a script, or of one ZREM: the single thread of Redis belongs to nobody for long. */
export const ITEMS_PER_CALL_MAX = 250;

export interface ItemsScript {
  readonly itemsMax: number;
  readonly call: (keys: readonly string[], args: readonly (string | number)[]) => Promise<unknown>;
}

/** Registers scripts/NAME.lua under `name`; called by SHA, loaded again when the server forgot it. */
export function defineScript(client: RedisClient, name: string, numberOfKeys: number): Script {
  return define(client, name, { numberOfKeys });
}

/**
 * The same for a script that takes several items, each with so many keys of its own. In a cluster those keys are in as many
 * slots: there a call takes one item.
 */
export function defineItemsScript(client: RedisClient, name: string, keysOfOne: number): ItemsScript {
  if (client instanceof Cluster) {
    const command = define(client, name, { numberOfKeys: keysOfOne });
    return { itemsMax: 1, call: (keys, args) => command(...keys, ...args) };
  }
  const command = define(client, name, {});
  return { itemsMax: ITEMS_PER_CALL_MAX, call: (keys, args) => command(keys.length, ...keys, ...args) };
}

function define(client: RedisClient, name: string, options: { numberOfKeys?: number }): Script {
  const lua = readFileSync(new URL(`./scripts/${name}.lua`, import.meta.url), "utf8");
  client.defineCommand(name, { ...options, lua });
  const command = (client as unknown as Record<string, Script>)[name];
  if (!command) throw new Error(`ioredis did not define ${name}`);
  return command.bind(client);
}
