import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { readFileSync, statSync } from "node:fs";
import { request, type IncomingMessage } from "node:http";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { text } from "node:stream/consumers";
import { expect } from "chai";
import { percentilesOf } from "../tools/jmeter/percentiles.ts";
import { REPOSITORY } from "../tools/stack/home.ts";
import type { Program } from "../tools/stack/programs.ts";
import type { HttpClient } from "./support/http-client.ts";
import { seedLedger } from "./support/ledger.ts";
import { openSandbox, type Sandbox } from "./support/sandbox.ts";
import type { Person } from "./support/seed.ts";

/**
 * Figures, no test of `npm test`: what an export of ORDERS settlements costs in memory, and in the answers to orders beside it.
 *   npm test -- --no-check test/report-millions.ts
 */
const ORDERS = Number(process.env["ORDERS"] ?? 3_000_000);
const ORDERS_PER_S = 200;
const QUIET_S = 30;
/** Longer than any export here lasts. */
const BUYERS = ORDERS_PER_S * 300;
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
    await orderSteadily(sale.id, buyers.splice(0, ORDERS_PER_S * 10), () => false); // warms up
    const quietly = () => orderSteadily(sale.id, buyers.splice(0, ORDERS_PER_S * QUIET_S), () => false);
    const quietBefore = residentMb(api.pid, "VmRSS");
    const quiet = await quietly();
    say(
      `resident API: ${quietBefore} MB before ${QUIET_S} s of orders alone, ${residentMb(api.pid, "VmRSS")} MB after`,
    );
    const meanwhile = buyers.splice(0, buyers.length - ORDERS_PER_S * QUIET_S);
    const idle = residentMb(api.pid, "VmRSS");
    let ended = false;
    const exporting = exportAll().finally(() => (ended = true));
    const orders = orderSteadily(sale.id, meanwhile, () => ended);
    const { memory, result: exported, s } = await watching(exporting);
    const beside = await orders;
    say(`export beside orders: ${s} s; resident API ${idle} MB before, at most ${Math.max(...memory)} MB`);
    const after = await quietly();
    say(`orders alone, before: ${inWords(quiet)}`);
    say(`orders beside:        ${inWords(beside)}`);
    say(`orders alone, after:  ${inWords(after)}`);
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
    // The better one: after seeding, a database is busy for a while, and would excuse anything.
    expect(p99(beside)).to.be.at.most(2 * Math.min(p99(quiet), p99(after)));
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

  async function exportAll(): Promise<{ bytes: number; sha256: string; sheet: string }> {
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
    }
    const sheet = /^<(\S+)>/.exec(String(answer.headers["link"]))?.[1] ?? "";
    return { bytes, sha256: hash.digest("hex"), sheet };
  }

  /** One order a buyer, at a constant rate; ms of each from the moment it was to be sent. */
  async function orderSteadily(productId: number, buyers: Person[], over: () => boolean): Promise<number[]> {
    const startedAt = performance.now();
    const answers: Promise<number>[] = [];
    for (const [i, buyer] of buyers.entries()) {
      const at = startedAt + (i * 1_000) / ORDERS_PER_S;
      if (at > performance.now()) await delay(at - performance.now());
      if (over()) break;
      answers.push(
        http.post("/api/orders", { productId }, buyer.token).then(({ status }) => {
          expect(status).to.equal(202);
          return performance.now() - at;
        }),
      );
    }
    return await Promise.all(answers);
  }
});

const say = (line: string): void => void process.stdout.write(`      ${line}\n`);
const p99 = (ms: readonly number[]): number => percentilesOf(ms)?.at[2] ?? Number.NaN;

function inWords(ms: readonly number[]): string {
  const { at = [], max = 0 } = percentilesOf(ms) ?? {};
  const [p50 = 0, p90 = 0, of99 = 0] = at.map((value) => value.toFixed(1));
  return `${ms.length}, p50 ${p50}, p90 ${p90}, p99 ${of99}, max ${max.toFixed(0)} ms`;
}

function residentMb(pid: number | undefined, field: "VmRSS" | "VmHWM"): number {
  try {
    const status = readFileSync(`/proc/${String(pid)}/status`, "utf8");
    return Math.round(Number(new RegExp(`^${field}:\\s+(\\d+) kB`, "m").exec(status)?.[1] ?? 0) / 1_024);
  } catch {
    return 0; // it has just ended
  }
}
