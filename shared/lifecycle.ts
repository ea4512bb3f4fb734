import closeWithGrace from "close-with-grace";
import type { Log } from "./domain/ports.ts";

/** Resources are released in the reverse of the order in which they were opened. */
export interface Lifecycle {
  onStop(name: string, release: () => Promise<unknown>): void;
  /** Releases everything, once; a later call joins the first. @throws AggregateError of what could not be released */
  stop(reason: string): Promise<void>;
}

export function createLifecycle(log: Log): Lifecycle {
  const releases: { name: string; release: () => Promise<unknown> }[] = [];
  let stopping: Promise<void> | undefined;

  return {
    onStop: (name, release) => void releases.push({ name, release }),
    stop: (reason) => (stopping ??= releaseAll(reason)),
  };

  async function releaseAll(reason: string): Promise<void> {
    log.info({ reason }, "stopping");
    const failures: unknown[] = [];
    for (const { name, release } of releases.reverse()) {
      try {
        await release();
      } catch (error) {
        // One stuck client must not keep the others open.
        failures.push(error);
        log.warn({ err: error, name }, "could not be released");
      }
    }
    if (failures.length > 0) throw new AggregateError(failures, "not everything could be released");
    log.info({}, "stopped");
  }
}

/** Within the 10 s that contract and pm2 (kill_timeout 12 s) give. */
const STOP_DEADLINE_MS = 10_000;

/**
 * SIGTERM, SIGINT and pm2's "shutdown" message stop gracefully; a second signal or the deadline ends the process at
 * once. An uncaught error is logged, and the process ends the same way: its state can't be trusted any more.
 */
export function stopOnSignals(lifecycle: Lifecycle, log: Log): { close(): void } {
  const grace = closeWithGrace({ delay: STOP_DEADLINE_MS, logger: false }, async ({ err, signal }) => {
    if (err) log.error({ err }, "uncaught error");
    await lifecycle.stop(signal ?? (err ? "uncaught error" : "asked to"));
  });
  process.on("message", (message) => {
    if (message === "shutdown") grace.close();
  });
  return grace;
}
