import { setTimeout as delay } from "node:timers/promises";
import type { Home } from "../../tools/stack/home.ts";
import { startProgram, type Program, type ProgramName } from "../../tools/stack/programs.ts";
import { until } from "../support/until.ts";

/** A program that refuses to run, as while a server is away, is tried again this much later. */
const RETRY_MS = 250;
const READY_DEADLINE_MS = 60_000;

/** One life of a program: from its start to its end, epoch ms. */
export interface Life {
  readonly bornAt: number;
  /** Undefined: it ended before it was ready. */
  readonly readyAt: number | undefined;
  readonly diedAt: number;
  readonly ending: string;
}

export type Keeper = ReturnType<typeof keepRunning>;

export interface KeeperOptions {
  readonly home: Home;
  readonly program: ProgramName;
  readonly name: string;
  readonly port: number;
  readonly settings: NodeJS.ProcessEnv;
}

/**
 * Keeps a program running as pm2 would: whenever it ends, it is started again. `different` may change the settings of each
 * next life, so that every one dies at a point of its own.
 */
export function keepRunning({ settings, ...options }: KeeperOptions) {
  const lives: Life[] = [];
  let current: Program | undefined;
  let wanted = true;
  const isWanted = (): boolean => wanted; // it changes while a life lasts
  let readyAt: number | undefined;
  const keeper = {
    name: options.name,
    url: `http://127.0.0.1:${options.port}`,
    lives,
    /** Settings of the next life that differ. */
    different: (): NodeJS.ProcessEnv => ({}),
    /** Undefined while it is down, or starting. */
    pid: () => current?.pid,
    readyAt: () => (current?.pid === undefined ? undefined : readyAt),
    kill: (signal: NodeJS.Signals) => current?.kill(signal),
    /** Waits until it is up, and has been told ready. */
    ready: (deadlineMs = READY_DEADLINE_MS) =>
      until(`${options.name} is ready`, () => current?.pid !== undefined, deadlineMs),
    /** Asks it to end, waits until it has, and brings it back only with `resume`. */
    async stop(): Promise<void> {
      wanted = false;
      await current?.stop();
      await running;
    },
    resume(): void {
      wanted = true;
      running = keep();
    },
    /** For the end of a world: nothing of it is worth a graceful stop. */
    async end(): Promise<void> {
      wanted = false;
      current?.kill("SIGKILL");
      await running;
    },
  };
  let running = keep();
  return keeper;

  async function keep(): Promise<void> {
    while (isWanted()) {
      const bornAt = Date.now();
      readyAt = undefined;
      try {
        current = await startProgram({
          ...{ ...options, env: { ...settings, ...keeper.different() } },
          from: "dist",
        });
        readyAt = Date.now();
        if (!isWanted()) await current.stop();
        const ending = await current.exited();
        lives.push({ bornAt, readyAt, diedAt: Date.now(), ending });
      } catch (error) {
        lives.push({ bornAt, readyAt, diedAt: Date.now(), ending: String(error) });
        if (isWanted()) await delay(RETRY_MS);
      }
      current = undefined;
    }
  }
}
