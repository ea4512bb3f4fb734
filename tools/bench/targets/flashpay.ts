import { join } from "node:path";
import type { RowDataPacket } from "mysql2/promise";
import { percentilesOf } from "../../jmeter/percentiles.ts";
import { run } from "../../stack/command.ts";
import { StackFailure } from "../../stack/failure.ts";
import { REPOSITORY } from "../../stack/home.ts";
import { programSettings, startProgram, type Program, type ProgramName } from "../../stack/programs.ts";
import type { Site } from "../site.ts";
import type { Decisions, Fleet, RunningTarget, Target } from "./target.ts";

const VERIFY_DEADLINE_MS = 900_000;
const CALL_TIMEOUT_MS = 10_000;
const PRICE = 12_900;
/** Accounts are kept: making them is no part of what is measured. */
const KEPT_TABLES = ["schema_migrations", "users"];

/**
 * As in production, with everything on that costs something: logs, metrics, limits. All load comes from one address and a few
 * buyers, so the limits are set high; they count all the same.
 */
const SETTINGS = {
  NODE_ENV: "production",
  LOG_LEVEL: "info",
  METRICS: "on",
  API_DOCS: "off",
  RATE_LIMIT_PER_ADDRESS: "10000000",
  RATE_LIMIT_ORDERS_PER_USER: "1000000",
  PASSWORDS_PER_ADDRESS: "1000000",
};

export function flashpay(site: Site, adminToken: string): Target {
  return {
    name: "flashpay",
    async start(fleet) {
      await wipe(site);
      const many = (program: ProgramName, count: number) =>
        Promise.all(
          Array.from({ length: count }, (_, i) =>
            startOne(site, program, `${program}-${i + 1}`, fleet.settings),
          ),
        );
      const programs = { apis: await many("api", fleet.apis), workers: await many("worker", fleet.workers) };
      return runningTarget(site, programs, adminToken, (count) => many("worker", count));
    },
  };
}

export function flashpaySettings(
  { env, servers, jwtSecret }: Site,
  different: Fleet["settings"] = {},
): NodeJS.ProcessEnv {
  return programSettings({ ...env, ...SETTINGS, ...different }, { ...servers, replication: 1, jwtSecret });
}

/** Every round begins on empty tables: one that finds the rows of the round before would be slower for that. */
async function wipe({ database, redis }: Site): Promise<void> {
  const [tables] = await database.query<RowDataPacket[]>(
    "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name NOT IN (?)",
    [KEPT_TABLES],
  );
  await database.query("SET foreign_key_checks = 0");
  for (const { name } of tables) await database.query("TRUNCATE ??", [name]);
  await database.query("SET foreign_key_checks = 1");
  await redis.flushdb();
}

interface Programs {
  readonly apis: readonly Program[];
  workers: readonly Program[];
}

async function startOne(
  site: Site,
  program: ProgramName,
  name: string,
  settings: Fleet["settings"],
): Promise<Program> {
  const port = await site.ports.claim(name);
  const env = flashpaySettings(site, settings);
  return startProgram({
    ...{ home: site.home, program, name, port, env },
    ...{ from: "dist", profiles: site.profiles },
  });
}

function runningTarget(
  site: Site,
  programs: Programs,
  adminToken: string,
  moreWorkers: (count: number) => Promise<readonly Program[]>,
): RunningTarget {
  const { apis } = programs;
  const { database } = site;
  const pids = (programs: readonly Program[]) => programs.flatMap(({ pid }) => pid ?? []);
  return {
    addresses: apis.map(({ port }) => `127.0.0.1:${port}`),
    get roles() {
      return { api: pids(apis), worker: pids(programs.workers) };
    },
    async startWorkers(count) {
      programs.workers = [...programs.workers, ...(await moreWorkers(count))];
    },
    async openSales(count, stock) {
      const ids: number[] = [];
      for (let i = 0; i < count; i += 1) ids.push(await openSale(apis[0]?.url ?? "", adminToken, stock));
      return ids;
    },
    async settled(productIds) {
      const [rows] = await database.query<RowDataPacket[]>(
        "SELECT COALESCE(SUM(sold), 0) AS sold FROM products WHERE id IN (?)",
        [productIds],
      );
      return Number(rows[0]?.["sold"]);
    },
    decisions: (productIds) => readDecisions(site, productIds),
    verify: () => verify(site),
    async stop() {
      await Promise.all(programs.workers.map((program) => program.stop()));
      await Promise.all(apis.map((program) => program.stop()));
    },
  };
}

async function openSale(url: string, adminToken: string, stock: number): Promise<number> {
  const body = { title: "A sale", price: PRICE, stock, startTime: new Date().toISOString() };
  const response = await fetch(`${url}/api/products`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${adminToken}` },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(CALL_TIMEOUT_MS),
  });
  const answer = (await response.json()) as { data?: { id: number }; detail?: string };
  if (answer.data) return answer.data.id;
  throw new StackFailure(`No sale could be opened: ${response.status} ${answer.detail ?? ""}`);
}

async function readDecisions({ database }: Site, productIds: readonly number[]): Promise<Decisions> {
  const [rows] = await database.query<RowDataPacket[]>(
    `SELECT status, TIMESTAMPDIFF(MICROSECOND, accepted_at, decided_at) AS tookUs
       FROM orders WHERE product_id IN (?)`,
    [productIds],
  );
  const took = rows.flatMap(({ status, tookUs }) => (status === "SUCCESS" ? [Number(tookUs) / 1_000] : []));
  return { succeeded: took.length, failed: rows.length - took.length, tookMs: percentilesOf(took) };
}

/** `npm run verify`, after everything was decided. */
async function verify(site: Site): Promise<readonly string[]> {
  const { ok, output } = await run(
    process.execPath,
    [join(REPOSITORY, "dist/tools/verify.js"), "--drained", "--json"],
    { cwd: REPOSITORY, env: flashpaySettings(site), deadlineMs: VERIFY_DEADLINE_MS },
  );
  if (ok) return [];
  return brokenIn(output);
}

function brokenIn(output: string): string[] {
  try {
    const { findings } = JSON.parse(output.slice(output.indexOf("{"))) as {
      findings: { invariant: string; rule: string; state: string }[];
    };
    const broken = findings.filter(({ state }) => state === "broken");
    return broken.map(({ invariant, rule }) => `${invariant} ${rule}`);
  } catch {
    return [`verify could not be finished: ${output.trim()}`];
  }
}
