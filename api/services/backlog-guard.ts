import type { BacklogAge, Log } from "../../shared/domain/ports.ts";

const LOOK_EVERY_MS = 2_000;

export interface BacklogGuardDependencies {
  readonly backlog: BacklogAge;
  /** An undecided order older than this stops intake, ms. */
  readonly ageMaxMs: number;
  readonly log: Log;
}

export type BacklogGuard = ReturnType<typeof createBacklogGuard>;

/** Tells whether orders wait for their decision for so long that taking more would be a promise nobody keeps. */
export function createBacklogGuard({ backlog, ageMaxMs, log }: BacklogGuardDependencies) {
  let overdue = false;
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;
  let looking: Promise<void> = Promise.resolve();
  schedule();

  return {
    overdue: () => overdue,
    async stop(): Promise<void> {
      stopped = true;
      clearTimeout(timer);
      await looking;
    },
  };

  function schedule(): void {
    if (stopped) return;
    timer = setTimeout(() => {
      looking = look().finally(schedule);
    }, LOOK_EVERY_MS);
  }

  async function look(): Promise<void> {
    try {
      const old = await backlog.hasOlderThan(ageMaxMs);
      if (old && !overdue) log.error({ ageMaxMs }, "undecided orders are too old; refusing new ones");
      if (!old && overdue) log.info({}, "the backlog is young again; taking orders");
      overdue = old;
    } catch (error) {
      // A log that does not answer has its own guard, the breaker: what was known last stays.
      log.debug({ err: error }, "age of the backlog not read");
    }
  }
}
