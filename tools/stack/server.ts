import { reason, StackFailure } from "./failure.ts";
import type { Home } from "./home.ts";
import { lastLogLine, launch, type Child, type Ending, type Launch } from "./process.ts";
import { waitFor } from "./wait.ts";

export type ServerName = "mysql" | "redis" | "kafka";

/**
 * A process of the stack that is kept running: one of the three servers, or one of FlashPay's own programs. Tests kill, freeze
 * and restart it; `restart` keeps its port and its data.
 */
export type Service<N extends string = string> = {
  readonly name: N;
  /** What it is and where, for the progress line. */
  readonly label: string;
  /** Undefined while it is down, and for a server that is not this launcher's own process. */
  readonly pid: number | undefined;
  readonly port: number;
  stop(): Promise<void>;
  kill(signal: NodeJS.Signals): void;
  restart(): Promise<void>;
  /** How the process that runs now ended, once it has: "exit code 1", "SIGKILL". */
  exited(): Promise<Ending>;
  /** Calls back when it goes down, after having been ready, without having been told to by `stop` or `restart`. */
  onDeath(listener: (ending: Ending) => void): void;
};

export type Server = Service<ServerName>;

export type Recipe<N extends string> = {
  name: N;
  title: string;
  label: string;
  port: number;
  launch: Omit<Launch, "name" | "stopDeadlineMs">;
  /** Throws or rejects until the process answers as a client would want it to. */
  probe: () => Promise<void>;
  readyDeadlineMs: number;
  stopDeadlineMs: number;
  /** Finds the reason in the log when it does not come up. */
  complaint: RegExp;
};

/** Starts a process of our own and keeps hold of it. */
export async function startService<N extends string>(home: Home, recipe: Recipe<N>): Promise<Service<N>> {
  const { name, label, port, stopDeadlineMs } = recipe;
  const listeners: ((ending: Ending) => void)[] = [];
  let child: Child | undefined;
  let wanted = false;

  const start = async (): Promise<void> => {
    const started = launch(home, { name, stopDeadlineMs, ...recipe.launch });
    child = started;
    wanted = true;
    let ready = false;
    void started.exited.then((ending) => {
      if (wanted && ready && child === started) for (const listener of listeners) listener(ending);
    });
    await untilReady(home, recipe, started);
    ready = true;
  };
  const stop = async (): Promise<void> => {
    wanted = false;
    await child?.stop();
  };
  await start();
  return {
    name,
    label,
    get pid() {
      return child?.isRunning() ? child.pid : undefined;
    },
    port,
    stop,
    kill: (signal) => child?.kill(signal),
    async restart() {
      await stop();
      await start();
    },
    exited: () => child?.exited ?? Promise.resolve("never started"),
    onDeath: (listener) => void listeners.push(listener),
  };
}

async function untilReady(home: Home, recipe: Recipe<string>, child: Child): Promise<void> {
  const { title, name, probe, readyDeadlineMs, complaint } = recipe;
  let lack = "";
  const outcome = await waitFor(async () => {
    if (!child.isRunning()) return "ended";
    await probe().catch((error: unknown) => {
      lack = reason(error);
      throw error;
    });
    // A stranger on the same port could have answered: the answer counts only while our process lives.
    return child.isRunning() ? "ready" : "ended";
  }, readyDeadlineMs);
  if (outcome === "ready") return;
  await child.stop();
  const said = lastLogLine(home.log(name), child.logStart, complaint);
  const ended = `ended while starting${said ? `, saying "${said}"` : ""}`;
  const mute = `was not ready after ${String(readyDeadlineMs / 1000)} s${lack ? ` (${lack})` : ""}`;
  throw new StackFailure(`${title} ${outcome === "ended" ? ended : mute}; its log is ${home.log(name)}.`);
}
