import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { REPOSITORY } from "../../tools/stack/home.ts";
import type { ProgramName } from "../../tools/stack/programs.ts";

const DEADLINE_MS = 30_000;

export interface Ended {
  /** null: it did not end by itself. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program that is expected to end by itself, as a process of its own; past the deadline it is killed. */
export const runProgram = (program: ProgramName, env: NodeJS.ProcessEnv): Promise<Ended> =>
  runScript(`${program}/main.ts`, [], env);

/** The same for a tool. */
export async function runScript(
  script: string,
  flags: readonly string[],
  env: NodeJS.ProcessEnv,
  deadlineMs = DEADLINE_MS,
): Promise<Ended> {
  const child = spawn(process.execPath, ["--import", "tsx", script, ...flags], {
    cwd: REPOSITORY,
    env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const timer = setTimeout(() => child.kill("SIGKILL"), deadlineMs);
  const onExit = (): void => {
    child.kill("SIGKILL");
  };
  process.once("exit", onExit);
  try {
    const [stdout, stderr] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, "close"),
    ]);
    return { code: child.exitCode, stdout, stderr };
  } finally {
    clearTimeout(timer);
    process.off("exit", onExit);
  }
}
