import { spawn } from "node:child_process";
import { once } from "node:events";
import { createWriteStream, readFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { REPOSITORY } from "../tools/stack/home.ts";
import { seedLedger } from "./support/ledger.ts";
import { openSandbox, type Sandbox } from "./support/sandbox.ts";

/**
 * Figures, no test of `npm test`: what verify costs over ORDERS orders, a history of as many calls included.
 *   npm test -- --no-check test/verify-millions.ts
 */
const ORDERS = Number(process.env["ORDERS"] ?? 3_000_000);
const POLL_MS = 100;
const RSS_MAX_KB = 300 * 1_024;
const TIME_MAX_MS = 120_000;

describe(`verify over ${ORDERS} orders`, function () {
  this.timeout(0);
  let sandbox: Sandbox;
  before(async () => {
    sandbox = await openSandbox();
    const startedAt = performance.now();
    await seedLedger(sandbox.mysql, sandbox.redis, {
      ...{ products: 300, users: Math.ceil(ORDERS / 3), orders: ORDERS, keyedEvery: 2 },
    });
    process.stdout.write(`      seeded in ${((performance.now() - startedAt) / 1_000).toFixed(0)} s\n`);
  });
  after(() => (sandbox as Sandbox | undefined)?.close());

  it("needs at most 300 MB and 2 minutes", () => measure());

  it("needs no more with a history of as many calls", async () => {
    const file = join(sandbox.home.path, "history.jsonl");
    await writeHistory(sandbox, file);
    await measure("--history", file);
  });

  async function measure(...flags: string[]): Promise<void> {
    const startedAt = performance.now();
    const args = ["--import", "tsx", "tools/verify.ts", ...flags];
    const child = spawn(process.execPath, args, { cwd: REPOSITORY, env: sandbox.settings() });
    let peakKb = 0;
    const watch = setInterval(() => {
      peakKb = Math.max(peakKb, residentPeakKb(child.pid));
    }, POLL_MS);
    const [stdout, stderr] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, "close"),
    ]);
    clearInterval(watch);
    const ms = performance.now() - startedAt;
    process.stdout.write(
      `${stdout}${stderr}\n      ${(ms / 1_000).toFixed(1)} s, ${(peakKb / 1_024).toFixed(0)} MB\n`,
    );
    if (child.exitCode !== 0 || peakKb > RSS_MAX_KB || ms > TIME_MAX_MS) throw new Error("above its budget");
  }
});

function residentPeakKb(pid: number | undefined): number {
  try {
    return Number(/^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${String(pid)}/status`, "utf8"))?.[1] ?? 0);
  } catch {
    return 0; // it has just ended
  }
}

/** One `ok` for each order. */
async function writeHistory({ database }: Sandbox, file: string): Promise<void> {
  const out = createWriteStream(file);
  for (let after = ""; ;) {
    const rows = await database.rows<{ id: string; user_id: number; product_id: number }>(
      "SELECT id, user_id, product_id FROM orders WHERE id > ? ORDER BY id LIMIT 20000",
      [after],
    );
    const lines = rows.map(({ id, user_id, product_id }) =>
      JSON.stringify({ kind: "ok", userId: user_id, productId: product_id, code: "accepted", orderId: id }),
    );
    if (rows.length > 0 && !out.write(`${lines.join("\n")}\n`)) await once(out, "drain");
    const last = rows.at(-1);
    if (!last) break;
    after = last.id;
  }
  out.end();
  await once(out, "close");
}
