import { join } from "node:path";
import type { RowDataPacket } from "mysql2/promise";
import { percentilesOf } from "../../jmeter/percentiles.ts";
import { REPOSITORY } from "../../stack/home.ts";
import { startService, type Service } from "../../stack/server.ts";
import type { Site } from "../site.ts";
import { stockKeys, WIRING, type Wiring } from "../yardsticks/wiring.ts";
import type { RunningTarget, Target } from "./target.ts";

/** A busy machine may take its time. */
const READY_DEADLINE_MS = 120_000;
const STOP_DEADLINE_MS = 10_000;
const PROBE_TIMEOUT_MS = 2_000;
const END_OF_TIME_MS = Number.MAX_SAFE_INTEGER;

export type YardstickProgram = "reference-api" | "bare-api" | "worker" | "hello" | "token-only";

/** A yardstick that takes and settles orders: an API of its own, and the yardsticks' worker. */
export function yardstick(site: Site, name: string, api: YardstickProgram): Target {
  return {
    name,
    async start({ apis, workers }) {
      await site.yardsticks.wipe();
      const many = (program: YardstickProgram, count: number) =>
        Promise.all(Array.from({ length: count }, (_, i) => startYardstick(site, program, i + 1)));
      const services = { apis: await many(api, apis), workers: await many("worker", workers) };
      return runningTarget(site, services, (count) => many("worker", count));
    },
  };
}

/** One process of a yardstick, ready. */
export async function startYardstick(site: Site, program: YardstickProgram, number = 1): Promise<Service> {
  const name = `yardstick-${program}-${number}`;
  const port = await site.ports.claim(name);
  const { host, port: mysqlPort, user, password, database } = site.yardsticks.mysql;
  const wiring: Wiring = {
    port,
    jwtSecret: site.jwtSecret,
    mysql: { ...{ host, user, password, database }, port: mysqlPort },
    redisUrl: site.yardsticks.redisUrl,
    kafkaBrokers: site.servers.kafka.brokers,
  };
  return startService(site.home, {
    ...{ name, title: name, label: name, port },
    launch: {
      command: process.execPath,
      args: [join(REPOSITORY, `dist/tools/bench/yardsticks/${program}.js`)],
      cwd: REPOSITORY,
      env: { ...site.env, NODE_ENV: "production", [WIRING]: JSON.stringify(wiring) },
    },
    probe: () => askReadiness(port),
    readyDeadlineMs: READY_DEADLINE_MS,
    stopDeadlineMs: STOP_DEADLINE_MS,
    complaint: /Error/,
  });
}

async function askReadiness(port: number): Promise<void> {
  const response = await fetch(`http://127.0.0.1:${port}/readyz`, {
    signal: AbortSignal.timeout(PROBE_TIMEOUT_MS),
  });
  await response.text();
  if (!response.ok) throw new Error(String(response.status));
}

interface Services {
  readonly apis: readonly Service[];
  workers: readonly Service[];
}

function runningTarget(
  site: Site,
  services: Services,
  moreWorkers: (count: number) => Promise<readonly Service[]>,
): RunningTarget {
  const { apis } = services;
  const { database, redis } = site.yardsticks;
  const pids = (some: readonly Service[]) => some.flatMap(({ pid }) => pid ?? []);
  let products = 0;
  return {
    addresses: apis.map(({ port }) => `127.0.0.1:${port}`),
    get roles() {
      return { api: pids(apis), worker: pids(services.workers) };
    },
    async startWorkers(count) {
      services.workers = [...services.workers, ...(await moreWorkers(count))];
    },
    async openSales(count, stock) {
      const ids = Array.from({ length: count }, () => (products += 1));
      for (const id of ids) {
        await database.query("INSERT INTO products (id, stock, sold) VALUES (?, ?, 0)", [id, stock]);
        await redis.hset(stockKeys(id)[0], { left: stock, start: 0, end: END_OF_TIME_MS, limit: 1 });
      }
      return ids;
    },
    async settled(productIds) {
      const [rows] = await database.query<RowDataPacket[]>(
        "SELECT COALESCE(SUM(sold), 0) AS sold FROM products WHERE id IN (?)",
        [productIds],
      );
      return Number(rows[0]?.["sold"]);
    },
    async decisions(productIds) {
      const [rows] = await database.query<RowDataPacket[]>(
        `SELECT CAST(s.settled_at AS SIGNED) - CAST(o.accepted_at AS SIGNED) AS tookMs
           FROM orders o JOIN settlements s ON s.order_id = o.id WHERE o.product_id IN (?)`,
        [productIds],
      );
      const took = rows.map(({ tookMs }) => Number(tookMs));
      return { succeeded: took.length, failed: 0, tookMs: percentilesOf(took) };
    },
    // It promises nothing that could be checked, but that what it took is there.
    verify: () => Promise.resolve(undefined),
    async stop() {
      await Promise.all(services.workers.map((service) => service.stop()));
      await Promise.all(apis.map((service) => service.stop()));
    },
  };
}
