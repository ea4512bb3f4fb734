import { spawn } from "node:child_process";
import { closeSync, fstatSync, openSync, readFileSync, rmSync } from "node:fs";
import { reason, StackFailure } from "./failure.ts";
import { readJson, writeJson } from "./files.ts";
import type { Home } from "./home.ts";
import { identify, isAlive, toIdentity } from "./identity.ts";
import { refuseWhileStopping, track } from "./registry.ts";
import { settlesWithin, waitFor } from "./wait.ts";

const LOG_TAIL_CHARACTERS = 16_384;
const KILL_DEADLINE_MS = 5_000;

export type Launch = {
  /** Names its log and its pid file. */
  name: string;
  /** How long it may take to end when asked to. */
  stopDeadlineMs: number;
  command: string;
  args: readonly string[];
  cwd: string;
  env: NodeJS.ProcessEnv;
};

export type Child = ReturnType<typeof launch>;

/** How a process ended, in words: "exit code 1", "SIGKILL". */
export type Ending = string;

/**
 * Starts a process in a group of its own, so that a Ctrl-C meant for the launcher does not reach a database in the middle of
 * its work; what it says goes to a log file. The pid file lets the next launcher find it if this one is killed.
 */
export function launch(home: Home, { name, command, args, cwd, env, stopDeadlineMs }: Launch) {
  refuseWhileStopping();
  const log = openSync(home.log(name), "a", 0o600);
  const logStart = fstatSync(log).size;
  const child = spawn(command, args, { cwd, env, detached: true, stdio: ["ignore", log, log] });
  closeSync(log);
  const exited = new Promise<Ending>((resolve) => {
    child.once("error", (error) => {
      resolve(reason(error));
    });
    child.once("exit", (code, signal) => {
      resolve(signal ?? `exit code ${String(code)}`);
    });
  });
  const { pid } = child;
  if (pid === undefined) throw new StackFailure(`${command} could not be started: see ${home.log(name)}.`);
  writeJson(home.run(name), identify(pid) ?? { pid, began: "" });
  let running = true;
  const kill = (signal: NodeJS.Signals): void => {
    if (running) signalGroup(pid, signal);
  };
  const stop = async (): Promise<void> => {
    kill("SIGTERM");
    kill("SIGCONT"); // one that a test has frozen would hear the SIGTERM only then
    if (await settlesWithin(ended, stopDeadlineMs)) return;
    kill("SIGKILL");
    await settlesWithin(ended, KILL_DEADLINE_MS);
  };
  const forget = track({
    stop,
    kill: () => {
      kill("SIGKILL");
    },
  });
  const ended = exited.then((ending) => {
    running = false;
    forget();
    rmSync(home.run(name), { force: true });
    return ending;
  });
  // `kill` reaches the whole group: redis-server forks to rewrite its log.
  return { pid, exited: ended, isRunning: () => running, kill, stop, logStart };
}

/** Stops what a killed launcher left running from this home; true when there was something. */
export async function stopLeftover(home: Home, name: string, deadlineMs: number): Promise<boolean> {
  const identity = toIdentity(readJson(home.run(name)));
  const gone = (): true | undefined => (identity && isAlive(identity) ? undefined : true);
  const found = identity !== undefined && isAlive(identity);
  if (found) {
    signalGroup(identity.pid, "SIGTERM");
    signalGroup(identity.pid, "SIGCONT");
    if (!(await waitFor(gone, deadlineMs))) {
      signalGroup(identity.pid, "SIGKILL");
      await waitFor(gone, KILL_DEADLINE_MS);
    }
  }
  rmSync(home.run(name), { force: true });
  return found;
}

/** The last line since a start that matches, for the sentence that says why it failed. */
export function lastLogLine(path: string, from: number, pattern: RegExp): string | undefined {
  try {
    const lines = readFileSync(path).subarray(from).toString().slice(-LOG_TAIL_CHARACTERS).split("\n");
    return lines
      .filter((line) => pattern.test(line))
      .at(-1)
      ?.trim();
  } catch {
    return undefined;
  }
}

export function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch {
    // Already gone.
  }
}
