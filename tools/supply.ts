import { readFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "./stack/command.ts";
import { REPOSITORY } from "./stack/home.ts";
import { readAudit } from "./supply/audit.ts";
import { problemsOf, type LockFile, type Manifest } from "./supply/lock-file.ts";

/**
 * `npm run check:supply`: the lock file is exact and sealed, no install script is needed, every licence is on a list, and no
 * package of production has a known hole of high severity. The last is skipped, in words, where no advisory service answers.
 */
const AUDIT_DEADLINE_MS = 20_000;

const read = (name: string): unknown => JSON.parse(readFileSync(join(REPOSITORY, name), "utf8"));
const problems = problemsOf(read("package-lock.json") as LockFile, read("package.json") as Manifest);
const asked = await run("npm", ["audit", "--omit=dev", "--json"], {
  cwd: REPOSITORY,
  deadlineMs: AUDIT_DEADLINE_MS,
});
const audit = readAudit(asked.output);
if (audit.kind === "not asked") {
  process.stdout.write(`Known vulnerabilities: skipped, no advisory service answered (${audit.why}).\n`);
} else {
  process.stdout.write(`Known vulnerabilities: ${audit.high} high or critical, ${audit.lower} lower.\n`);
  if (audit.high > 0) problems.push("npm audit --omit=dev names packages with known holes of high severity");
}
for (const problem of problems) process.stderr.write(`${problem}\n`);
process.exitCode = problems.length === 0 ? 0 : 1;
