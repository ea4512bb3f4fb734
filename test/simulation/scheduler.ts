import type { Random } from "./random.ts";

/** One incarnation of a program: a restart is another one under the same name. */
export interface Process {
  readonly name: string;
  alive: boolean;
  frozen: boolean;
}

/** The real one: all else that asks for it is simulated. */
const endOfTurn = setImmediate;

interface Task {
  readonly at: number;
  /** Whose code runs: not while it is frozen, never once it is dead. Null: a server, a client, the world. */
  readonly owner: Process | null;
  /** Whose request this is: it may never leave a sender that dies. */
  readonly sender: Process | null;
  readonly what: string;
  readonly run: () => void;
}

export interface SchedulerOptions {
  readonly random: Random;
  /** Epoch ms. */
  readonly start: number;
  readonly trace: (line: string) => void;
}

/**
 * Time and order of everything that happens. What is due at one instant runs in an order that the seed chooses, one task
 * at a time, each until nothing is left that it could do without another task: so the seed decides every interleaving.
 */
export function createScheduler({ random, start, trace }: SchedulerOptions) {
  let at = start;
  let steps = 0;
  let running: Process | null = null;
  let tasks: Task[] = [];
  return { now, steps: () => steps, running: () => running, plan, step, freeze, thaw, kill, sleep };

  function now(): number {
    return at;
  }

  function plan(
    delayMs: number,
    what: string,
    run: () => void,
    { owner = null, sender = null }: { owner?: Process | null; sender?: Process | null } = {},
  ): { cancel(): void } {
    const task: Task = { at: at + delayMs, owner, sender, what, run };
    if (owner?.alive !== false) tasks.push(task);
    return {
      cancel: () => {
        tasks = tasks.filter((other) => other !== task);
      },
    };
  }

  /** Runs one task to its end. */
  async function step(): Promise<void> {
    const task = random.pick(dueNext());
    at = Math.max(at, task.at);
    tasks.splice(tasks.indexOf(task), 1);
    steps += 1;
    trace(`${((at - start) / 1_000).toFixed(3).padStart(8)} ${task.what}`);
    running = task.owner;
    task.run();
    // Every promise that can settle has settled before the event loop turns.
    await new Promise((resolve) => endOfTurn(resolve));
    running = null;
  }

  /** All that may be next: what is overdue, or else what is due at the earliest instant. One pass: it is most of the work. */
  function dueNext(): Task[] {
    let earliest = Infinity;
    let due: Task[] = [];
    for (const task of tasks) {
      if (task.owner?.frozen) continue;
      const dueAt = Math.max(task.at, at);
      if (dueAt > earliest) continue;
      if (dueAt < earliest) due = [];
      earliest = dueAt;
      due.push(task);
    }
    if (due.length === 0) throw new Error("nothing is left to happen");
    return due;
  }

  function freeze(process: Process): void {
    process.frozen = true;
  }
  function thaw(process: Process): void {
    process.frozen = false;
  }

  /** Nothing of it runs again; of its requests that are on their way, some arrive. */
  function kill(process: Process): void {
    process.alive = false;
    tasks = tasks.filter((task) => task.owner !== process && (task.sender !== process || random.chance(0.5)));
  }

  /** For the process whose code runs now. */
  function sleep(ms: number): Promise<void> {
    const owner = running;
    return new Promise((resolve) => plan(ms, `${owner?.name ?? "world"} wakes up`, resolve, { owner }));
  }
}
export type Scheduler = ReturnType<typeof createScheduler>;

/**
 * The programs' own timers (jobs, heartbeats) become tasks of the process that set them.
 * @returns what puts the real ones back
 */
export function takeOverTimers({ plan, running }: Scheduler): () => void {
  const { setTimeout, clearTimeout, setInterval, clearInterval, setImmediate } = globalThis;
  const once = (run: () => void, ms = 0) => {
    const owner = running();
    return plan(ms, `${owner?.name ?? "world"} timer`, run, { owner });
  };
  const again = (run: () => void, ms = 0) => {
    const owner = running();
    let timer = next();
    return {
      cancel: () => {
        timer.cancel();
      },
    };
    function next() {
      return plan(ms, `${owner?.name ?? "world"} timer`, tick, { owner });
    }
    function tick(): void {
      timer = next();
      run();
    }
  };
  const cancel = (timer: { cancel(): void } | undefined) => timer?.cancel();
  Object.assign(globalThis, {
    setTimeout: once,
    clearTimeout: cancel,
    setInterval: again,
    clearInterval: cancel,
    setImmediate: (run: () => void) => once(run),
  });
  return () => {
    Object.assign(globalThis, { setTimeout, clearTimeout, setInterval, clearInterval, setImmediate });
  };
}
