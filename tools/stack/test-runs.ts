import { readdirSync } from "node:fs";
import { join } from "node:path";
import { run } from "./command.ts";
import { readJson } from "./files.ts";
import { REPOSITORY } from "./home.ts";

export type Counts = { passed: number; failed: number };

const UNIT_FOLDERS = ["api", "worker", "shared", "tools"];
const INTEGRATION_FOLDER = "test";
const RUN_DEADLINE_MS = 1_800_000;
const SPEC = /\.test\.ts$/;

/** Settings of a person's shell must not decide whether a test passes. */
const FOREIGN_SETTING =
  /^(MYSQL|REDIS|KAFKA|JWT|FLASHPAY|RATE|SPRING|TEST)_|^(PORT|HOST|WORKER_PORT|LOG_LEVEL|NODE_ENV)$/;

export function cleanEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !FOREIGN_SETTING.test(name)));
}

export function unitSpecs(): string[] {
  return UNIT_FOLDERS.flatMap(specsBelow);
}

export function integrationSpecs(): string[] {
  return specsBelow(INTEGRATION_FOLDER);
}

/** Specs of this folder need servers. */
export function needsServers(spec: string): boolean {
  return spec.replace(`${REPOSITORY}/`, "").replace(/^\.\//, "").startsWith(`${INTEGRATION_FOLDER}/`);
}

export type SpecRun = {
  grep: string | undefined;
  env: NodeJS.ProcessEnv;
  countsFile: string;
  /** Another copy of the repository. */
  root?: string;
  output?: "inherit" | { log: string; tee?: boolean };
  deadlineMs?: number;
};

/** Runs specs in a process of their own. One that crashed before it could count is one failure. */
export async function runSpecs(
  specs: readonly string[],
  { grep, env, countsFile, root = REPOSITORY, output = "inherit", deadlineMs = RUN_DEADLINE_MS }: SpecRun,
): Promise<Counts> {
  if (specs.length === 0) return { passed: 0, failed: 0 };
  const grepArgs = grep === undefined ? [] : ["--grep", grep];
  const args = ["--import", "tsx", join(root, "tools/stack/run-mocha.ts"), "--counts", countsFile];
  const result = await run(process.execPath, [...args, ...grepArgs, ...specs], {
    cwd: root,
    env,
    output,
    deadlineMs,
  });
  return toCounts(readJson(countsFile), result.ok);
}

/** What a run counted, set against how its process ended. */
export function toCounts(counted: unknown, ok: boolean): Counts {
  const known = typeof counted === "object" && counted !== null && "passed" in counted && "failed" in counted;
  if (!known) return { passed: 0, failed: 1 };
  const passed = Number(counted.passed);
  const failed = Number(counted.failed);
  return { passed, failed: !ok && failed === 0 ? 1 : failed };
}

export function sum(all: readonly Counts[]): Counts {
  return all.reduce(
    (total, { passed, failed }) => ({ passed: total.passed + passed, failed: total.failed + failed }),
    {
      passed: 0,
      failed: 0,
    },
  );
}

function specsBelow(folder: string): string[] {
  try {
    const files = readdirSync(join(REPOSITORY, folder), { recursive: true, encoding: "utf8" });
    return files
      .filter((file) => SPEC.test(file) && !file.includes("node_modules"))
      .map((file) => join(folder, file))
      .sort();
  } catch {
    return [];
  }
}
