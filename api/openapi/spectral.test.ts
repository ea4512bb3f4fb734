import { Spectral, type RulesetDefinition } from "@stoplight/spectral-core";
import { oas } from "@stoplight/spectral-rulesets";
import { expect } from "chai";
import { createDocument } from "./document.ts";

const DEADLINE_MS = 30_000;

/** Rule and place of each problem, warnings and hints included. */
async function problemsOf(document: object): Promise<string[]> {
  const spectral = new Spectral();
  // The two packages disagree about the type of what one makes for the other.
  spectral.setRuleset({ extends: [[oas as unknown as RulesetDefinition, "recommended"]] });
  const problems = await spectral.run(document as Record<string, unknown>);
  return problems.map(({ code, path, message }) => `${code} at ${path.join(".")}: ${message}`);
}

describe("the OpenAPI document, held against Spectral's recommended rules", function () {
  this.timeout(DEADLINE_MS);

  it("has no problem, and gives no warning", async () => {
    expect(await problemsOf(createDocument())).to.deep.equal([]);
  });

  it("would be found out", async () => {
    const { info: _, ...spoilt } = createDocument();
    expect((await problemsOf(spoilt)).join()).to.include("info");
  });
});
