import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { lastLineOf, run } from "./command.ts";
import { StackFailure } from "./failure.ts";
import { REPOSITORY } from "./home.ts";
import { withLock } from "./lock.ts";
import type { Report } from "./report.ts";

const SOURCES = ["api", "worker", "shared", "tools", "package.json", "tsconfig.json", "tsconfig.build.json"];
const STAMP = join(REPOSITORY, "dist/.sources");
const BUILD_DEADLINE_MS = 300_000;

/**
 * Compiles when the sources are not those that dist/ was made from. Names, sizes and times of all files are compared, not the
 * newest time alone: a checkout of an older commit, or a deleted file, must be seen too.
 */
export async function buildIfNeeded(env: NodeJS.ProcessEnv, report: Report): Promise<void> {
  mkdirSync(join(REPOSITORY, ".flashpay"), { recursive: true });
  await withLock(join(REPOSITORY, ".flashpay/build.lock"), BUILD_DEADLINE_MS, async () => {
    const sources = fingerprint();
    if (existsSync(STAMP) && readFileSync(STAMP, "utf8") === sources) return;
    report("building");
    const result = await run("npm", ["run", "--silent", "build"], { cwd: REPOSITORY, env });
    if (!result.ok) throw new StackFailure(`The build failed: ${lastLineOf(result.output, /error/)}`);
    writeFileSync(STAMP, sources);
  });
}

function fingerprint(): string {
  const hash = createHash("sha256");
  for (const file of SOURCES.flatMap((path) => filesBelow(path))) {
    const { size, mtimeMs } = statSync(join(REPOSITORY, file));
    hash.update(`${file} ${String(size)} ${String(mtimeMs)}\n`);
  }
  return hash.digest("hex");
}

function filesBelow(path: string): string[] {
  const full = join(REPOSITORY, path);
  if (!existsSync(full)) return [];
  if (statSync(full).isFile()) return [path];
  const entries = readdirSync(full, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
    .map((file) => file.slice(REPOSITORY.length + 1));
}
