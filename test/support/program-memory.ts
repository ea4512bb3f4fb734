import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { until } from "./until.ts";

const COLLECTED_DEADLINE_MS = 20_000;
/** V8 gives pages back to the system on threads of its own, behind the collection. */
const GIVEN_BACK_MS = 500;

/** What the kernel holds for a process now, or held at most. 0: it has just ended. */
export function residentMb(pid: number | undefined, field: "VmRSS" | "VmHWM" = "VmRSS"): number {
  try {
    const status = readFileSync(`/proc/${String(pid)}/status`, "utf8");
    return Math.round(Number(new RegExp(`^${field}:\\s+(\\d+) kB`, "m").exec(status)?.[1] ?? 0) / 1_024);
  } catch {
    return 0;
  }
}

export interface CollectedMemory {
  readonly rss: number;
  readonly heapUsed: number;
  readonly external: number;
}

/**
 * Lets a test collect the garbage of a program from outside, so that what is compared is what the program holds on to.
 * @returns settings for the program, and what collects and tells the bytes that are left
 */
export function collectable(folder: string) {
  const hook = join(folder, "collect.cjs");
  const told = join(folder, "memory.json");
  // SIGURG: a signal that the programs do not stop on, and that is harmless to whoever does not listen.
  // A flag that NODE_OPTIONS refuses; a program's worker threads load this file, too.
  writeFileSync(
    hook,
    `const { isMainThread } = require("node:worker_threads");
    if (isMainThread) {
      require("node:v8").setFlagsFromString("--expose-gc");
      const collect = require("node:vm").runInNewContext("gc");
      process.on("SIGURG", () => {
        collect();
        // What the first one lets go of with a callback is garbage only now.
        setImmediate(() => {
          collect();
          setTimeout(() => {
            require("node:fs").writeFileSync(${JSON.stringify(told)}, JSON.stringify(process.memoryUsage()));
          }, ${GIVEN_BACK_MS});
        });
      });
    }\n`,
  );
  return {
    env: { NODE_OPTIONS: `--require ${hook}` },
    async collect(pid: number | undefined): Promise<CollectedMemory> {
      rmSync(told, { force: true });
      if (pid === undefined) throw new Error("the program has no process");
      process.kill(pid, "SIGURG");
      return await until(
        "the program has collected its garbage",
        () => JSON.parse(readFileSync(told, "utf8")) as CollectedMemory,
        COLLECTED_DEADLINE_MS,
      );
    },
  };
}
