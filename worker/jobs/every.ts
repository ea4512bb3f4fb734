import type { Lock, Log } from "../../shared/domain/ports.ts";

export interface Job {
  readonly name: string;
  readonly everyMs: number;
  /**
   * Longest run that the lock covers; a longer one may meet a second runner, which is harmless. Short, because a worker
   * that dies in a run holds up the others' for so long.
   */
  readonly lockMs: number;
  run(): Promise<void>;
}

/** Runs a job again and again, one run at a time, in at most one worker at a time. A failed run is the next one's work. */
export function runEvery(job: Job, lock: Lock, log: Log): { stop(): Promise<void> } {
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> = Promise.resolve();
  schedule();

  return {
    async stop() {
      stopped = true;
      clearTimeout(timer);
      await running;
    },
  };

  function schedule(): void {
    if (stopped) return;
    timer = setTimeout(() => {
      running = once().finally(schedule);
    }, job.everyMs);
  }

  async function once(): Promise<void> {
    try {
      await lock.tryWith(job.name, job.lockMs, () => job.run());
    } catch (error) {
      log.warn({ err: error, job: job.name }, "job failed; it runs again");
    }
  }
}
