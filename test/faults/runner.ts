import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { run } from "../../tools/stack/command.ts";
import { REPOSITORY } from "../../tools/stack/home.ts";
import type { Failure, Measured, SpecFailure, WorldFailure } from "./failure.ts";
import { judge, type Counts } from "./judge.ts";
import { createRandom } from "./random.ts";
import { openWorld, type World } from "./world.ts";

const SPEC_DEADLINE_MS = 120_000;
const PROGRESS_EVERY_MS = 5_000;
export const NOTHING: Counts = {
  ...{ orders: 0, accepted: 0, unknown: 0, settled: 0, lost: 0, doubled: 0, oversold: 0, leaked: 0 },
  ...{ wrong: 0, failed: 0 },
};
/** What must be 0 whatever happened. */
const FORBIDDEN = ["lost", "doubled", "oversold", "leaked", "wrong"] as const;

export interface Outcome {
  readonly id: string;
  readonly title: string;
  readonly seed: number;
  readonly counts: Counts;
  readonly recoveryMs: number | undefined;
  readonly objective: WorldFailure["objective"] | undefined;
  readonly figures: Readonly<Record<string, number | string>>;
  readonly misses: readonly string[];
  /** Why it could not be brought about on this machine. */
  readonly skipped?: string;
  readonly seconds: number;
}

export interface Run {
  readonly orders: number;
  readonly brief: boolean;
  readonly seed: number;
  /** A new folder in here is the failure's home; it is removed afterwards. */
  readonly folder: string;
  /** Where the logs of a failure that missed are kept; nowhere when not said. */
  readonly keepLogs?: string | undefined;
  readonly env: NodeJS.ProcessEnv;
  readonly report: (line: string) => void;
}

/** Brings one failure about and says what became of it. Never throws: what went wrong with the run is a miss like any other. */
export async function runFailure(failure: Failure, options: Run): Promise<Outcome> {
  const startedAt = performance.now();
  const found = "specs" in failure ? await runSpecs(failure, options) : await runInWorld(failure, options);
  const { id, title } = failure;
  const objective = "objective" in failure ? failure.objective : undefined;
  const seconds = Math.round((performance.now() - startedAt) / 1_000);
  return { id, title, seed: options.seed, objective, seconds, ...found };
}

type Found = Pick<Outcome, "counts" | "recoveryMs" | "figures" | "misses" | "skipped">;

async function runInWorld(failure: WorldFailure, options: Run): Promise<Found> {
  const { orders, brief, seed, env } = options;
  const folder = join(options.folder, `${failure.id}-${seed}`);
  mkdirSync(folder, { recursive: true });
  const report = (line: string): void => {
    options.report(`${failure.id.padEnd(4)} ${line}`);
  };
  const random = createRandom(seed).fork(failure.id);
  let world: World | undefined;
  try {
    world = await openWorld({ ...{ folder, env, orders, random, report }, wish: failure.world ?? {} });
    const found = await bringAbout(failure, world, { orders, brief, random });
    if (found.misses.length > 0 && options.keepLogs !== undefined) {
      const kept = join(options.keepLogs, `${failure.id}-${seed}`);
      world.keepLogs(kept);
      report(`missed; its logs are in ${kept}`);
    }
    return found;
  } catch (error) {
    return { counts: NOTHING, recoveryMs: undefined, figures: {}, misses: [inWords(error)] };
  } finally {
    await world?.close();
    rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  }
}

async function bringAbout(
  failure: WorldFailure,
  world: World,
  options: Parameters<WorldFailure["run"]>[1],
): Promise<Found> {
  const progress = setInterval(() => {
    world.report(`${world.history.calls.length} calls, ${world.history.accepted()} accepted`);
  }, PROGRESS_EVERY_MS);
  try {
    const measured = await failure.run(world, options).catch((error: unknown): Measured => ({
      misses: [inWords(error)],
    }));
    if (measured.skipped !== undefined)
      return {
        ...{ counts: NOTHING, recoveryMs: undefined, figures: {}, misses: [] },
        skipped: measured.skipped,
      };
    world.report("the fault is over; waiting until everything is decided");
    const { counts, rows, misses } = await judge(world, {
      deadLetters: measured.deadLetters ?? 0,
      redisForgets: failure.redisForgets ?? false,
    });
    const late = measured.recovery?.(rows) ?? {};
    const missing = (await failure.after?.(world, measured)) ?? [];
    const recoveryMs = late.recoveryMs ?? measured.recoveryMs;
    const restarts = [...world.apis, ...world.workers].reduce((sum, { lives }) => sum + lives.length, 0);
    return {
      ...{ counts, recoveryMs },
      figures: { ...(restarts > 0 && { restarts }), ...measured.figures, ...late.figures },
      misses: [
        ...(measured.misses ?? []),
        ...(late.misses ?? []),
        ...missing,
        ...misses,
        ...forbidden(failure, counts),
        ...tooLate(failure, recoveryMs, options.brief),
      ],
    };
  } finally {
    clearInterval(progress);
  }
}

export function forbidden({ redisForgets }: Pick<WorldFailure, "redisForgets">, counts: Counts): string[] {
  const names = redisForgets ? FORBIDDEN : ([...FORBIDDEN, "failed"] as const);
  return names.filter((name) => counts[name] !== 0).map((name) => `${name}: ${counts[name]}`);
}

/** A brief run tells its time and is not judged by it: it is a test among others, on a machine that may be busy. */
function tooLate({ objective }: WorldFailure, recoveryMs: number | undefined, brief: boolean): string[] {
  if (!objective) return [];
  if (recoveryMs === undefined) return [`never: ${objective.what}`];
  if (brief) return [];
  return recoveryMs <= objective.ms ? [] : [`${objective.what} after ${recoveryMs} ms, not ${objective.ms}`];
}

async function runSpecs({ specs, grep }: SpecFailure, { env, report }: Run): Promise<Found> {
  const args = ["--node-option", "import=tsx", "--grep", grep, "--forbid-only", ...specs];
  const result = await run("node_modules/.bin/mocha", args, {
    ...{ cwd: REPOSITORY, env, deadlineMs: SPEC_DEADLINE_MS },
  });
  const passing = Number(/(\d+) passing/.exec(result.output)?.[1] ?? 0);
  if (!result.ok || passing === 0) report(result.output);
  const misses = result.ok && passing > 0 ? [] : ["its specs did not pass"];
  return { counts: NOTHING, recoveryMs: undefined, figures: { specs: passing }, misses };
}

function inWords(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
