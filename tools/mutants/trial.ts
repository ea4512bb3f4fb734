import { rmSync } from "node:fs";
import { join } from "node:path";
import { readJson } from "../stack/files.ts";
import { runSpecs } from "../stack/test-runs.ts";
import { CannotPlant, copyRepository, edited } from "./copy.ts";
import { judge, toOutcome, type Outcome, type Verdict } from "./judge.ts";
import type { Edit, Mutant } from "./mutant.ts";

const RUN_DEADLINE_MS = 180_000;

export type Trial = Verdict & { readonly seconds: number };
type Tests = Pick<Mutant, "specs" | "grep">;

/** Plants mutants in copies of the repository below `folder`, and runs the tests that should notice. */
export function createTrials(folder: string, env: NodeJS.ProcessEnv) {
  const baselines = new Map<string, Promise<number>>();
  return { attempt };

  /** @throws Error when the tests fail without the mutant, too: then they prove nothing */
  async function attempt({ edits, ...tests }: Mutant): Promise<Trial> {
    const startedAt = performance.now();
    const verdict = await attemptOnce(edits, tests);
    return { ...verdict, seconds: (performance.now() - startedAt) / 1_000 };
  }

  async function attemptOnce(edits: readonly Edit[], tests: Tests): Promise<Verdict> {
    try {
      const changed = edited(edits);
      const testsWithoutIt = await baselineOf(tests);
      return judge(await runWith(changed, tests), testsWithoutIt);
    } catch (error) {
      if (error instanceof CannotPlant) return { caught: false, why: `cannot be planted: ${error.message}` };
      throw error;
    }
  }

  /** Once for each set of tests. @returns how many tests it has */
  function baselineOf(tests: Tests): Promise<number> {
    const key = JSON.stringify([tests.specs, tests.grep]);
    const known = baselines.get(key) ?? countUnmutated(tests);
    baselines.set(key, known);
    return known;
  }

  async function countUnmutated(tests: Tests): Promise<number> {
    const outcome = await runWith(new Map(), tests);
    const [failure] = outcome?.failures ?? [];
    if (!outcome || failure || outcome.passed === 0)
      throw new Error(
        `Without a bug, ${tests.specs.join(", ")} must pass: ${failure?.title ?? "no test ran"}: ${failure?.message ?? ""}`,
      );
    return outcome.passed;
  }

  async function runWith(
    changed: ReadonlyMap<string, string>,
    { specs, grep }: Tests,
  ): Promise<Outcome | undefined> {
    const root = copyRepository(folder, changed);
    try {
      const countsFile = join(root, "counts.json");
      const output = { log: join(root, "output.log") };
      await runSpecs(specs, { grep, env, countsFile, root, output, deadlineMs: RUN_DEADLINE_MS });
      return toOutcome(readJson(countsFile));
    } finally {
      rmSync(root, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
    }
  }
}
