import type { Log } from "./domain/ports.ts";
import { StartRefused } from "./config.ts";

/**
 * Runs a program's start. A refusal is one sentence on standard error and exit code 1, never a stack: the operator has
 * to change a setting, not to read code.
 */
export async function startProgram(start: () => Promise<void>, log?: Log): Promise<void> {
  try {
    await start();
  } catch (error) {
    if (error instanceof StartRefused) process.stderr.write(`${error.message}\n`);
    else if (log) log.error({ err: error }, "could not start");
    else
      process.stderr.write(
        `Could not start: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
      );
    process.exit(1);
  }
}

/** @throws StartRefused for the first check that found a problem */
export async function refuseOn(...problems: (() => Promise<string | undefined>)[]): Promise<void> {
  for (const problem of problems) {
    const sentence = await problem();
    if (sentence !== undefined) throw new StartRefused(sentence);
  }
}

/** @throws StartRefused that names the setting when a dependency cannot be reached */
export async function reach<T>(setting: string, what: string, connect: () => Promise<T>): Promise<T> {
  try {
    return await connect();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new StartRefused(`${setting}: ${what} cannot be reached (${reason || "no answer"}).`);
  }
}
