/** What run-mocha.ts wrote about a run of specs. */
export interface Outcome {
  readonly passed: number;
  readonly failures: readonly Failure[];
}
interface Failure {
  readonly title: string;
  readonly kind: string;
  readonly name: string;
  readonly code?: unknown;
  readonly message: string;
}

export type Verdict =
  | { readonly caught: true; readonly by: readonly string[] }
  | { readonly caught: false; readonly why: string };

const NOT_STARTED = "the tests did not get as far as running";

/**
 * A bug is caught when the tests ran as they do without it, and one of them found its rule broken. Code that cannot be
 * loaded, a hook that cannot start and a test that only breaks tell nothing of the rule.
 */
export function judge(outcome: Outcome | undefined, testsWithoutIt: number): Verdict {
  if (!outcome) return { caught: false, why: NOT_STARTED };
  const failed = outcome.failures.filter(({ kind }) => kind === "test");
  const found = failed.filter(isFinding);
  const [first] = outcome.failures;
  const saying = first ? `; ${first.title}: ${first.name}: ${first.message.split("\n")[0] ?? ""}` : "";
  if (outcome.passed + failed.length < testsWithoutIt)
    return { caught: false, why: `not all tests ran${saying}` };
  if (found.length > 0) return { caught: true, by: found.map(({ title }) => title) };
  return { caught: false, why: first ? `a test broke without judging${saying}` : "all tests pass" };
}

/** An assertion, or a rule's own check: what specs throw by hand is a plain Error. */
function isFinding({ name, code }: Failure): boolean {
  return name === "AssertionError" || (name === "Error" && code === undefined);
}

/** @returns undefined when the run ended before it could count */
export function toOutcome(counted: unknown): Outcome | undefined {
  const known =
    typeof counted === "object" && counted !== null && "passed" in counted && "failures" in counted;
  return known ? (counted as Outcome) : undefined;
}
