import { resolve } from "node:path";
import { parseArgs } from "node:util";
import Mocha from "mocha";
import { writeJson } from "./files.ts";

const TEST_TIMEOUT_MS = 30_000;
const TERMINATED = 143;
/** Longer than any connection of a client library takes to close when its server is gone already. */
const LINGER_MAX_MS = 30_000;

/**
 * Runs specs and writes what passed and what failed, and how, to a file. The process is not made to exit: one that lingers after its last
 * test has left a connection, a timer or a server behind, and that is a failure too.
 * Usage: run-mocha.ts --counts FILE [--grep PATTERN] SPEC...
 */
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { counts: { type: "string" }, grep: { type: "string" } },
});
// Without a handler Node.js would end at once, and the servers that specs have started would live on.
process.once("SIGTERM", () => process.exit(TERMINATED));
const countsFile = values.counts ?? "";
const mocha = new Mocha({
  reporter: "spec",
  forbidOnly: true,
  timeout: TEST_TIMEOUT_MS,
  ...(values.grep !== undefined && { grep: new RegExp(values.grep) }),
});
for (const spec of positionals) mocha.addFile(resolve(spec));
await mocha.loadFilesAsync();

let passed = 0;
const failures: object[] = [];
const runner = mocha.run((failed) => {
  writeJson(countsFile, { passed, failed, failures });
  process.exitCode = failed === 0 ? 0 : 1;
  setTimeout(() => {
    process.stdout.write(`The tests are over, but something was left running: ${whatIsLeft()}.\n`);
    writeJson(countsFile, { passed, failed: failed + 1, failures });
    process.exit(1);
  }, LINGER_MAX_MS).unref();
});
runner.on("pass", () => {
  passed += 1;
});
runner.on("fail", (failing, error: Error & { code?: unknown }) => {
  const { name, code, message } = error;
  failures.push({ title: failing.fullTitle(), kind: failing.type, name, code, message });
});

/** Timers with what is left of them, connections with where they lead, child processes with their pid. */
function whatIsLeft(): string {
  const { libuv } = process.report.getReport() as { libuv: Handle[] };
  const handles = libuv.filter(({ is_active, is_referenced }) => is_active && is_referenced);
  return JSON.stringify({ resources: process.getActiveResourcesInfo(), handles });
}

interface Handle {
  readonly is_active?: boolean;
  readonly is_referenced?: boolean;
}
