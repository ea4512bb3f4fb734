import { killEverything } from "./registry.ts";

const INTERRUPTED = 130;

/**
 * Calls `stop` at the first wish to end: Ctrl-C, a SIGTERM, a closed terminal, or the bootstrap being killed. The second wish
 * ends everything at once.
 */
export function onStopWish(stop: () => void): void {
  let wished = false;
  const wish = (): void => {
    if (wished) {
      killEverything();
      process.exit(INTERRUPTED);
    }
    wished = true;
    stop();
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, wish);
  // The bootstrap holds a channel open to us for this purpose only; it must not keep a finished process alive.
  process.once("disconnect", () => {
    if (!wished) wish();
  });
  process.channel?.unref();
  // A terminal that is gone must not turn a stop into a crash.
  process.stdout.on("error", () => undefined);
  process.stderr.on("error", () => undefined);
}
