import { availableParallelism, cpus, release, totalmem, type } from "node:os";
import { run } from "../stack/command.ts";
import { REPOSITORY } from "../stack/home.ts";
import type { Servers } from "../stack/servers.ts";

const BYTES_PER_GIB = 2 ** 30;

/** What figures mean nothing without. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGib: number;
  readonly kernel: string;
  readonly node: string;
  /** Their versions, as their labels say. */
  readonly servers: readonly string[];
  /** Of the sources that ran; "+" behind it: they were changed since. */
  readonly commit: string;
}

export async function describeMachine({ mysql, redis, kafka }: Servers): Promise<Machine> {
  return {
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    cores: availableParallelism(),
    memoryGib: Math.round(totalmem() / BYTES_PER_GIB),
    kernel: `${type()} ${release()}`,
    node: process.version,
    servers: [mysql, redis, kafka].map(({ label }) => label.replace(/ on .*$/, "")),
    commit: await commitOf(),
  };
}

async function commitOf(): Promise<string> {
  const head = await run("git", ["rev-parse", "--short=12", "HEAD"], { cwd: REPOSITORY });
  if (!head.ok) return "unknown";
  const status = await run("git", ["status", "--porcelain", "--untracked-files=no"], { cwd: REPOSITORY });
  return `${head.output.trim()}${status.output.trim() === "" ? "" : "+"}`;
}
