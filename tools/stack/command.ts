import { spawn } from "node:child_process";
import { closeSync, openSync, writeSync } from "node:fs";
import { reason } from "./failure.ts";
import { signalGroup } from "./process.ts";
import { refuseWhileStopping, track } from "./registry.ts";
import { settlesWithin } from "./wait.ts";

const STOP_DEADLINE_MS = 10_000;
const OUTPUT_MAX = 1_000_000;

export type CommandResult = { ok: boolean; output: string };

type CommandOptions = {
  env?: NodeJS.ProcessEnv;
  cwd?: string;
  input?: string;
  /** "inherit": a person reads along, and the result holds no output. A path: output goes to that file; tee: both. */
  output?: "collect" | "inherit" | { log: string; tee?: boolean };
  /** After this it is killed, and not ok. */
  deadlineMs?: number;
};

/** Runs a program to its end. A program that cannot be started is a result like any other: not ok, and why. */
export function run(
  command: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  refuseWhileStopping();
  const { cwd, env = process.env, input = "", output = "collect", deadlineMs } = options;
  const log = typeof output === "object" ? openSync(output.log, "a", 0o600) : undefined;
  const tee = typeof output === "object" && output.tee === true;
  const sink = tee ? "pipe" : (log ?? (output === "inherit" ? "inherit" : "pipe"));
  return new Promise((resolve) => {
    // A group of its own: npm and Maven start further processes, which a signal must reach too.
    const child = spawn(command, args, { cwd, env, detached: true, stdio: ["pipe", sink, sink] });
    if (log !== undefined && !tee) closeSync(log);
    let collected = "";
    const collect = (chunk: Buffer): void => {
      collected = (collected + chunk.toString()).slice(-OUTPUT_MAX);
    };
    const both = (chunk: Buffer): void => {
      process.stdout.write(chunk);
      if (log !== undefined) writeSync(log, chunk);
    };
    child.stdout?.on("data", tee ? both : collect);
    child.stderr?.on("data", tee ? both : collect);
    child.stdin?.on("error", () => undefined); // it may end without reading
    child.stdin?.end(input);
    const closed = new Promise<void>((done) => child.once("close", done));
    if (log !== undefined && tee)
      void closed.then(() => {
        closeSync(log);
      });
    const signal = (name: NodeJS.Signals): void => {
      if (child.pid !== undefined) signalGroup(child.pid, name);
    };
    const forget = track(stoppable(signal, closed));
    const timer =
      deadlineMs === undefined
        ? undefined
        : setTimeout(() => {
            signal("SIGKILL");
          }, deadlineMs);
    const finish = (result: CommandResult): void => {
      clearTimeout(timer);
      forget();
      resolve(result);
    };
    child.once("error", (error) => {
      finish({ ok: false, output: reason(error) });
    });
    child.once("close", (code) => {
      finish({ ok: code === 0, output: collected });
    });
  });
}

function stoppable(signal: (name: NodeJS.Signals) => void, closed: Promise<void>) {
  return {
    async stop(): Promise<void> {
      signal("SIGTERM");
      if (!(await settlesWithin(closed, STOP_DEADLINE_MS))) signal("SIGKILL");
    },
    kill(): void {
      signal("SIGKILL");
    },
  };
}

/** Text of the last line that matches, or the last line at all. */
export function lastLineOf(output: string, pattern: RegExp): string {
  const lines = output.trim().split("\n");
  return (lines.filter((line) => pattern.test(line)).at(-1) ?? lines.at(-1) ?? "").trim();
}
