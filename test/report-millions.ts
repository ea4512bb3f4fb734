import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { statSync } from "node:fs";
import { request, type IncomingMessage } from "node:http";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as delay } from "node:timers/promises";
import { expect } from "chai";
import { REPOSITORY } from "../tools/stack/home.ts";
import type { Program } from "../tools/stack/programs.ts";
import type { HttpClient } from "./support/http-client.ts";
import { seedLedger } from "./support/ledger.ts";
import { residentMb } from "./support/program-memory.ts";
import { openSandbox, type Person, type Sandbox } from "./support/sandbox.ts";
import { inWords, orderSteadily, p99, say, type SteadyWish } from "./support/steady-orders.ts";

/**
 * Figures, no test of `npm test`: what an export of ORDERS settlements costs in memory, and in the answers to orders beside it.
 *   npm test -- --no-check test/report-millions.ts
 */
const ORDERS = Number(process.env["ORDERS"] ?? 3_000_000);
const ORDERS_PER_S = 200;
/** The export is read for so long, then left alone for as long. */
const TURN_MS = 20_000;
/** Of each turn's beginning: until what lies between both ends is full, the API goes on writing. */
const BETWEEN_TURNS_MS = 5_000;
/** Until the process has the memory that orders alone give it. */
const WARM_UP_S = 30;
/** Longer than any export here lasts. */
const BUYERS = ORDERS_PER_S * 600;
const POLL_MS = 100;
const MEMORY_MAX_MB = 100;
/** Of the second half above the first: what collecting garbage a little later makes. */
const GROWTH_MAX_MB = 20;

describe(`reports over ${ORDERS} settlements`, function () {
  this.timeout(0);
  let sandbox: Sandbox;
  let api: Program;
  let http: HttpClient;

  before(async () => {
    sandbox = await openSandbox();
    await seedLedger(sandbox.mysql, sandbox.redis, {
      ...{ products: 300, users: Math.ceil(ORDERS / 3), orders: ORDERS, keyedEvery: 2 },
    });
    await sandbox.database.run("UPDATE products SET end_time = '2026-07-01'");
    await sandbox.database.run("ANALYZE TABLE orders, order_history, settlements, settlement_totals");
    const [size] = await sandbox.database.rows<{ bytes: string }>(
      `SELECT SUM(data_length + index_length) AS bytes FROM information_schema.tables
       WHERE table_schema = DATABASE() AND table_name IN ('orders', 'order_history', 'settlements', 'settlement_totals')`,
    );
    say(`tables: ${Math.round(Number(size?.bytes) / ORDERS)} bytes an order, indexes included`);
    [api] = await Promise.all([sandbox.start("api"), sandbox.start("worker")]);
    http = sandbox.client(api);
  });
  after(() => (sandbox as Sandbox | undefined)?.close());

  it(`are written by npm run report in ${MEMORY_MAX_MB} MB above what the program needs for none`, async () => {
    const empty = await reportPeakMb("--to", "2020-01-01", "--out", join(sandbox.home.path, "none.csv"));
    const out = join(sandbox.home.path, "all.csv");
    const startedAt = performance.now();
    const peak = await reportPeakMb("--out", out);
    const s = ((performance.now() - startedAt) / 1_000).toFixed(1);
    const size = Math.round(statSync(out).size / 1e6);
    say(`npm run report: ${s} s, ${size} MB of CSV, resident ${empty} MB for none, ${peak} MB for all`);
    expect(peak - empty).to.be.at.most(MEMORY_MAX_MB);
  });

  it(`are exported over HTTP in ${MEMORY_MAX_MB} MB, the second half in no more than the first`, async () => {
    const before = residentMb(api.pid, "VmRSS");
    const { memory, result, s } = await watching(exportAll());
    const peak = Math.max(...memory);
    const half = Math.max(...memory.slice(0, memory.length / 2));
    say(`export alone: ${s} s, ${Math.round(result.bytes / 1e6)} MB of CSV`);
    say(`resident API: ${before} MB before, at most ${half} MB in the first half, ${peak} MB in all`);
    expect(peak - before).to.be.at.most(MEMORY_MAX_MB);
    expect(peak - half).to.be.at.most(GROWTH_MAX_MB);
  });

  it(`are exported over HTTP beside ${ORDERS_PER_S} orders/s, whose p99 at most doubles`, async () => {
    const sale = await sandbox.openSale(http, { stock: BUYERS });
    const buyers = await sandbox.users(BUYERS);
    const ordersOf = (some: Person[], wish: Partial<SteadyWish> = {}) =>
      orderSteadily(http, { productId: sale.id, buyers: some, perS: ORDERS_PER_S, ...wish });
    const fresh = residentMb(api.pid);
    await ordersOf(buyers.splice(0, ORDERS_PER_S * WARM_UP_S));
    const idle = residentMb(api.pid);
    say(`resident API: ${fresh} MB before ${WARM_UP_S} s of orders alone, ${idle} MB after`);
    const turns = createTurns();
    let ended = false;
    const exporting = exportAll(turns.reading).finally(() => (ended = true));
    const orders = ordersOf(buyers, { over: () => ended, onAnswer: turns.note });
    const { memory, result: exported, s } = await watching(exporting);
    await orders;
    say(`export beside orders: ${s} s; resident API ${idle} MB before, at most ${Math.max(...memory)} MB`);
    say(`orders while the export rests: ${inWords(turns.quiet)}`);
    say(`orders while it is read:       ${inWords(turns.beside)}`);
    const { data: sheet } = JSON.parse((await http.get(exported.sheet, sandbox.host.token)).text) as {
      data: { lastId: number };
    };
    // One worker settles in the order of the ids: what was there is what lies up to the last one.
    const [sum] = await sandbox.database.rows<{ count: number; amount: string; firstId: number }>(
      "SELECT COUNT(*) AS count, SUM(amount) AS amount, MIN(id) AS firstId FROM settlements WHERE id <= ?",
      [sheet.lastId],
    );
    expect(sheet).to.deep.include({
      ...{ sha256: exported.sha256, bytes: exported.bytes, count: sum?.count, firstId: sum?.firstId },
      totals: [{ currency: "KRW", count: sum?.count, amount: Number(sum?.amount) }],
    });
    expect(p99(turns.beside)).to.be.at.most(2 * p99(turns.quiet));
  });

  /** The API's memory, ten times a second, for as long as something takes. */
  async function watching<T>(work: Promise<T>): Promise<{ memory: number[]; result: T; s: string }> {
    const memory: number[] = [];
    const watch = setInterval(() => memory.push(residentMb(api.pid, "VmRSS")), POLL_MS);
    const startedAt = performance.now();
    const result = await work.finally(() => {
      clearInterval(watch);
    });
    return { memory, result, s: ((performance.now() - startedAt) / 1_000).toFixed(1) };
  }

  async function reportPeakMb(...flags: string[]): Promise<number> {
    const args = ["--import", "tsx", "tools/report.ts", ...flags];
    const child = spawn(process.execPath, args, { cwd: REPOSITORY, env: sandbox.settings() });
    let peak = 0;
    const watch = setInterval(() => (peak = Math.max(peak, residentMb(child.pid, "VmHWM"))), 20);
    const [, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
    clearInterval(watch);
    if (child.exitCode !== 0) throw new Error(stderr);
    return peak;
  }

  /** @param reading waited for before each piece is read: the export goes no faster than its reader */
  async function exportAll(
    reading: () => Promise<unknown> = () => Promise.resolve(),
  ): Promise<{ bytes: number; sha256: string; sheet: string }> {
    const asking = request(`${api.url}/api/settlements/export`, {
      headers: { Authorization: `Bearer ${sandbox.host.token}` },
    }).end();
    const [answer] = (await once(asking, "response")) as [IncomingMessage];
    expect(answer.statusCode).to.equal(200);
    const hash = createHash("sha256");
    let bytes = 0;
    for await (const piece of answer as AsyncIterable<Buffer>) {
      hash.update(piece);
      bytes += piece.length;
      await reading();
    }
    const sheet = /^<(\S+)>/.exec(String(answer.headers["link"]))?.[1] ?? "";
    return { bytes, sha256: hash.digest("hex"), sheet };
  }
});

/**
 * The export is read and left alone in turns, so that orders beside it and orders alone meet the same machine, the same
 * neighbours and the same database. Orders of a turn's first moments belong to neither.
 */
function createTurns() {
  const startedAt = performance.now();
  const beside: number[] = [];
  const quiet: number[] = [];
  const turnAt = (at: number) => {
    const turn = Math.floor((at - startedAt) / TURN_MS);
    return {
      isQuiet: turn % 2 === 1,
      age: at - startedAt - turn * TURN_MS,
      endsAt: startedAt + (turn + 1) * TURN_MS,
    };
  };
  return {
    ...{ beside, quiet },
    async reading(): Promise<void> {
      const { isQuiet, endsAt } = turnAt(performance.now());
      if (isQuiet) await delay(endsAt - performance.now());
    },
    note(ms: number, at: number): void {
      const { isQuiet, age } = turnAt(at);
      if (age > BETWEEN_TURNS_MS) (isQuiet ? quiet : beside).push(ms);
    },
  };
}
