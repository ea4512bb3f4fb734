import { SingleBar } from "cli-progress";

export interface Progress {
  at(done: number, doing: string): void;
  stop(): void;
}

/** A bar on standard error, where a person looks on; otherwise nothing. */
export function createProgress(total: number, shown: boolean): Progress {
  if (!shown) return { at: () => undefined, stop: () => undefined };
  const bar = new SingleBar({
    format: "{bar} {percentage} % | {duration_formatted} | {doing}",
    stream: process.stderr,
    hideCursor: true,
    clearOnComplete: true,
    linewrap: false,
  });
  bar.start(total, 0, { doing: "" });
  return {
    at(done, doing) {
      bar.update(done, { doing });
    },
    stop() {
      bar.stop();
    },
  };
}
