import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { cleanEnvironment } from "../stack/test-runs.ts";
import { MUTANTS } from "./catalogue.ts";
import { edited } from "./copy.ts";
import { judge, toOutcome } from "./judge.ts";
import type { Edit, Mutant } from "./mutant.ts";
import { createTrials } from "./trial.ts";

const POLICY = "worker/failure-policy.ts";
const FALLBACK = `ACTIONS[error.code] : "retry"`;

describe("planting mutants", function () {
  this.timeout(120_000);
  const folder = mkdtempSync(join(tmpdir(), "flashpay-mutants-"));
  after(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  const trials = createTrials(folder, cleanEnvironment(process.env));
  const mutant = (...edits: Edit[]): Mutant => ({
    ...{ id: "M0", title: "a mutant of the policy", edits },
    specs: ["worker/failure-policy.test.ts"],
  });

  it("counts a bug as caught, by the title of the test that failed", async () => {
    const bug = mutant({ file: POLICY, find: FALLBACK, replace: `ACTIONS[error.code] : "park"` });
    const trial = await trials.attempt(bug);
    expect(trial).to.deep.include({ caught: true });
    expect(trial.caught && trial.by).to.include("the failure policy never parks for a broken connection");
  });

  it("counts a change that changes nothing as missed", async () => {
    const trial = await trials.attempt(mutant({ file: POLICY, find: FALLBACK, replace: FALLBACK }));
    expect(trial).to.deep.include({ caught: false, why: "all tests pass" });
  });

  it("does not take code that cannot be loaded for a bug that was caught", async () => {
    const trial = await trials.attempt(mutant({ file: POLICY, find: FALLBACK, replace: `ACTIONS[` }));
    expect(trial).to.deep.include({ caught: false, why: "the tests did not get as far as running" });
  });

  for (const [often, find] of [
    ["not there", "no such line"],
    ["there twice", `"park"`],
  ] as const) {
    it(`refuses a mutant whose place is ${often}`, async () => {
      const trial = await trials.attempt(mutant({ file: POLICY, find, replace: "" }));
      expect(trial.caught ? "" : trial.why).to.match(/^cannot be planted: worker\/failure-policy\.ts holds/);
    });
  }

  it("finds the place of each known bug in the code as it is", () => {
    for (const { id, edits } of MUTANTS) expect(() => edited(edits), id).not.to.throw();
  });

  it("knows each bug once, with what should notice", () => {
    expect(MUTANTS.map(({ id }) => id)).to.deep.equal(MUTANTS.map((_, n) => `M${n + 1}`));
    for (const { specs } of MUTANTS) expect(specs).not.to.be.empty;
  });
});

describe("judging a run with a mutant", () => {
  const failure = (changes: object) => ({
    ...{ title: "a rule", kind: "test", name: "AssertionError", message: "expected 1 to equal 2" },
    ...changes,
  });
  const judged = (passed: number, ...failures: object[]) =>
    judge(toOutcome({ passed, failed: failures.length, failures }), 3);

  it("takes an assertion, or an error that a spec throws itself, for a catch", () => {
    expect(judged(2, failure({}))).to.deep.equal({ caught: true, by: ["a rule"] });
    expect(judged(2, failure({ name: "Error" }))).to.deep.equal({ caught: true, by: ["a rule"] });
  });

  const broken: [string, number, object][] = [
    ["a hook that fails", 3, { kind: "hook" }],
    ["a test that hangs", 2, { name: "Error", code: "ERR_MOCHA_TIMEOUT" }],
    ["a module that is missing", 2, { name: "Error", code: "ERR_MODULE_NOT_FOUND" }],
    ["a name that is missing", 2, { name: "ReferenceError" }],
    ["tests that did not run", 1, {}],
  ];
  for (const [what, passed, changes] of broken) {
    it(`does not take ${what} for a catch`, () => {
      expect(judged(passed, failure(changes)).caught).to.equal(false);
    });
  }

  it("takes a run that ended before it could count for no catch", () => {
    expect(judge(undefined, 3).caught).to.equal(false);
  });
});
