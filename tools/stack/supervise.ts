import { setTimeout as delay } from "node:timers/promises";
import { reason } from "./failure.ts";
import type { Report } from "./report.ts";
import type { Service } from "./server.ts";

const FIRST_DELAY_MS = 500;
const DELAY_MAX_MS = 30_000;
const ATTEMPTS_MAX = 12;
/** One that has lived this long is well again: its next death counts as a first one. */
const WELL_AFTER_MS = 60_000;

/**
 * Brings a service back when it dies: the programs exit on purpose when they cannot go on, for example when the consumer is
 * dead. Ever slower, and not for ever: `giveUp` is called after too many attempts in a row.
 */
export function supervise(
  service: Pick<Service, "name" | "restart" | "onDeath">,
  { report, signal, giveUp }: { report: Report; signal: AbortSignal; giveUp: (sentence: string) => void },
): void {
  let attempts = 0;
  let revivedAt = performance.now();

  const revive = async (ending: string): Promise<void> => {
    if (performance.now() - revivedAt > WELL_AFTER_MS) attempts = 0;
    let cause = ending;
    while (!signal.aborted) {
      if (attempts >= ATTEMPTS_MAX) {
        giveUp(`${service.name} does not stay up (${cause}), tried ${String(ATTEMPTS_MAX)} times.`);
        return;
      }
      const delayMs = Math.min(DELAY_MAX_MS, FIRST_DELAY_MS * 2 ** attempts);
      attempts += 1;
      report(`${service.name} died (${cause}); starting it again in ${String(delayMs)} ms`);
      try {
        await delay(delayMs, undefined, { signal });
        await service.restart();
        revivedAt = performance.now();
        report(`${service.name} is back`);
        return;
      } catch (error) {
        cause = reason(error);
      }
    }
  };
  service.onDeath((ending) => {
    if (!signal.aborted) void revive(ending);
  });
}
