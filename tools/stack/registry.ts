import { StackFailure } from "./failure.ts";

/** A process, or a group of them, that must not outlive the launcher. */
export type Running = { stop: () => Promise<void>; kill: () => void };

/**
 * Everything that this process has started, in order. Kept in one place because a signal may come at any moment of a start,
 * when nobody yet holds the handles of what is half up.
 */
const running = new Set<Running>();
let stopping = false;
let watchingExit = false;

/** Returns the function that forgets it again. */
export function track(started: Running): () => void {
  if (!watchingExit) {
    watchingExit = true;
    // Whatever way this process ends, short of a SIGKILL, it leaves nothing behind.
    process.on("exit", killEverything);
  }
  running.add(started);
  return () => {
    running.delete(started);
  };
}

/** A start that is still under way must not launch anything more once the stop has begun. */
export function refuseWhileStopping(): void {
  if (stopping) throw new StackFailure("FlashPay is stopping.");
}

/** Newest first: the programs before the servers they use. */
export async function stopEverything(): Promise<void> {
  stopping = true;
  for (const started of [...running].reverse()) await started.stop();
}

export function killEverything(): void {
  for (const started of running) started.kill();
}
