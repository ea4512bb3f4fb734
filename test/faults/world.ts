import { randomBytes } from "node:crypto";
import { cpSync } from "node:fs";
import { Redis } from "ioredis";
import { Kafka, logLevel, type Admin } from "kafkajs";
import { createBacklogWatch } from "../../shared/kafka/backlog-watch.ts";
import { keys } from "../../shared/redis/keys.ts";
import { openHome } from "../../tools/stack/home.ts";
import type { Door } from "../../tools/stack/kafka-config.ts";
import { migrate } from "../../tools/stack/migrate.ts";
import { openPorts, type Ports } from "../../tools/stack/ports.ts";
import { programSettings, type ProgramName } from "../../tools/stack/programs.ts";
import type { ServerName } from "../../tools/stack/server.ts";
import { startServers, type Servers } from "../../tools/stack/servers.ts";
import { createTopics } from "../../tools/stack/topics.ts";
import { openDatabase } from "../support/database.ts";
import { createHttpClient, type HttpClient } from "../support/http-client.ts";
import { openSale } from "../support/open-sale.ts";
import { CROWD } from "../support/sandbox.ts";
import { seedUsers } from "../support/seed.ts";
import { openProxy, type TcpProxy } from "../support/tcp-proxy.ts";
import { until } from "../support/until.ts";
import { keepRunning, type Keeper } from "./fleet.ts";
import type { Random } from "./random.ts";
import { createShop } from "./shop.ts";

const CONNECTIONS = 64;
/** What a buyer waits before the outcome is unknown to them. */
const CLIENT_TIMEOUT_MS = 5_000;
const PRICE = 12_900;
/** Above what any buyer asks for, so that an order that happens twice is not refused for its buyer's sake. */
const LIMIT = 10;
const STOCK_DEFAULT = 1_000_000;
/** A private broker lets a killed worker's partitions go this fast, where the worker asks for it. */
const SESSION_MIN_MS = 1_000;

export interface WorldWish {
  readonly apis?: number;
  readonly workers?: number;
  /** Which program reaches which servers through a proxy of its own. */
  readonly through?: Partial<Record<ProgramName, readonly ServerName[]>>;
  /** Units for sale; all sold out when it is below what buyers want. Given the orders to be placed. */
  readonly stock?: (orders: number) => number;
  /** Settings of both programs. */
  readonly settings?: NodeJS.ProcessEnv;
}

export interface WorldOptions {
  /** A folder of its own, which the caller removes. */
  readonly folder: string;
  readonly env: NodeJS.ProcessEnv;
  readonly wish: WorldWish;
  readonly orders: number;
  readonly random: Random;
  readonly report: (line: string) => void;
}

export type World = Awaited<ReturnType<typeof openWorld>>;
type Closing = () => unknown;

/** FlashPay for one failure: servers, proxies and programs of its own, to be killed, frozen and cut off. */
export async function openWorld(options: WorldOptions) {
  const closing: Closing[] = [];
  const close = async (): Promise<void> => {
    for (const release of closing.splice(0).reverse()) await release();
  };
  try {
    return { ...(await fillWorld(options, (release) => closing.push(release))), close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function fillWorld(options: WorldOptions, onClose: (release: Closing) => void) {
  const { folder, env, wish, orders, random, report } = options;
  const home = openHome(folder);
  const ports = openPorts(home);
  const doors = await kafkaDoors(ports, wish);
  const servers = await startServers({
    ...{ home: folder, env, report: () => undefined },
    broker: { doors: [...doors.values()], settings: { "group.min.session.timeout.ms": SESSION_MIN_MS } },
  });
  onClose(() => {
    // The data go with the folder.
    for (const server of [servers.mysql, servers.redis, servers.kafka]) {
      server.kill("SIGCONT");
      server.kill("SIGKILL");
    }
    return servers.stop();
  });
  await createTopics(servers.kafka.brokers, 1);
  await migrate(servers.mysql, env);
  const proxies = await openProxies(servers, wish, doors, onClose);
  const database = openDatabase(servers.mysql);
  onClose(() => database.close());
  const redis = new Redis(servers.redis.url);
  redis.on("error", () => undefined); // away, when a failure has killed it
  onClose(() => {
    redis.disconnect();
  });
  const kafka = new Kafka({
    clientId: "flashpay-faults",
    brokers: [servers.kafka.brokers],
    logLevel: logLevel.NOTHING,
  });
  const jwtSecret = randomBytes(48).toString("base64url");
  const [host] = await seedUsers(database, jwtSecret, 1, "admin");
  if (!host) throw new Error("no administrator was seeded");
  const fleets: Record<ProgramName, Keeper[]> = { api: [], worker: [] };
  const started: Record<ProgramName, number> = { api: 0, worker: 0 };
  const clients: HttpClient[] = [];

  const first = await add("api");
  await Promise.all([
    ...Array.from({ length: (wish.apis ?? 1) - 1 }, () => add("api")),
    ...Array.from({ length: wish.workers ?? 1 }, () => add("worker")),
  ]);
  const sale = await openSale(client(first), host, {
    stock: wish.stock?.(orders) ?? STOCK_DEFAULT,
    price: PRICE,
    perUserLimit: LIMIT,
  });
  const shop = createShop({ clients, productId: sale.id, random: random.fork("buyers") });
  report("its servers and programs are up");
  return {
    ...{ home, servers, database, redis, kafka, jwtSecret, host, sale, shop, random, report, clients },
    ...{ apis: fleets.api, workers: fleets.worker, history: shop.history },
    ...{ add, proxy, settings, withAdmin, lag, reservations, client },
    /** Accounts that have never bought, with tokens. */
    users: (count: number) => seedUsers(database, jwtSecret, count),
    keepLogs: (target: string) => {
      cpSync(home.at("log"), target, { recursive: true });
    },
  };

  /** One more of a program, kept running. */
  async function add(program: ProgramName): Promise<Keeper> {
    // Counted at once: several may be added at the same time, and each needs a name and a port of its own.
    started[program] += 1;
    const name = `${program}-${started[program]}`;
    const port = await ports.claim(name);
    const keeper = keepRunning({ home, program, name, port, settings: settings(program) });
    fleets[program].push(keeper);
    onClose(() => keeper.end());
    if (program === "api") clients.push(client(keeper));
    await keeper.ready();
    return keeper;
  }

  function settings(program: ProgramName): NodeJS.ProcessEnv {
    const at = (server: ServerName, direct: number): number =>
      proxies.get(`${program} ${server}`)?.port ?? direct;
    const redisUrl = new URL(servers.redis.url);
    redisUrl.port = String(at("redis", servers.redis.port));
    const wiring = {
      mysql: { ...servers.mysql, port: at("mysql", servers.mysql.port) },
      redis: { url: redisUrl.href },
      kafka: { brokers: `127.0.0.1:${at("kafka", servers.kafka.port)}` },
      ...{ replication: 1, jwtSecret },
    };
    return { ...programSettings({ ...env, ...CROWD }, wiring), ...wish.settings };
  }

  function proxy(program: ProgramName, server: ServerName): TcpProxy {
    const found = proxies.get(`${program} ${server}`);
    if (!found) throw new Error(`The wish for this world names no proxy from ${program} to ${server}.`);
    return found;
  }

  function client(api: Pick<Keeper, "url">): HttpClient {
    const made = createHttpClient(api.url, CONNECTIONS, CLIENT_TIMEOUT_MS);
    onClose(made.close);
    return made;
  }

  /** A connection of its own each time: one that was open when the broker was killed is of no use. */
  async function withAdmin<T>(work: (admin: Admin) => Promise<T>): Promise<T> {
    const admin = kafka.admin();
    try {
      await admin.connect();
      return await work(admin);
    } finally {
      await admin.disconnect().catch(() => undefined);
    }
  }

  /** Messages that the workers have not decided yet. */
  function lag(): Promise<number> {
    return withAdmin(async (admin) => Number(await createBacklogWatch(admin).lag()));
  }

  function reservations(): Promise<number> {
    return redis.hlen(keys.reservations(sale.id));
  }
}

/** Kafka tells its clients where it is, so each proxy needs a door of the broker that tells the proxy's port. */
async function kafkaDoors(ports: Ports, { through = {} }: WorldWish): Promise<Map<ProgramName, Door>> {
  const doors = new Map<ProgramName, Door>();
  for (const program of ["api", "worker"] as const) {
    if (!through[program]?.includes("kafka")) continue;
    const port = await ports.claim(`kafka-${program}`);
    doors.set(program, { port, advertisedPort: await ports.claim(`kafka-${program}-proxy`) });
  }
  return doors;
}

async function openProxies(
  servers: Servers,
  { through = {} }: WorldWish,
  doors: Map<ProgramName, Door>,
  onClose: (release: Closing) => void,
): Promise<Map<string, TcpProxy>> {
  const proxies = new Map<string, TcpProxy>();
  for (const program of ["api", "worker"] as const) {
    for (const server of through[program] ?? []) {
      const door = server === "kafka" ? doors.get(program) : undefined;
      const proxy = await openProxy({
        host: "127.0.0.1",
        port: door?.port ?? servers[server].port,
        ...(door && { listen: door.advertisedPort }),
      });
      onClose(proxy.close);
      proxies.set(`${program} ${server}`, proxy);
    }
  }
  return proxies;
}

/** The fault itself: it lasts this long. */
export async function lasting(ms: number): Promise<void> {
  const since = performance.now();
  await until("the fault is over", () => performance.now() - since >= ms, ms + 10_000);
}
