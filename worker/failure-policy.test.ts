import { expect } from "chai";
import { DomainError } from "../shared/domain/errors.ts";
import { failureAction } from "./failure-policy.ts";

describe("the failure policy", () => {
  it("parks what the database refuses for what it says", () => {
    expect(failureAction(new DomainError("validation_failed", "a row is refused"))).to.equal("park");
    expect(failureAction(new DomainError("invalid_json", "no JSON"))).to.equal("park");
  });

  const transient: [string, unknown][] = [
    ["a database that is away", new DomainError("not_ready", "away")],
    ["an unknown outcome", new DomainError("outcome_unknown", "perhaps")],
    ["a bug of ours", new DomainError("internal", "bug")],
    ["a broken connection", Object.assign(new Error("gone"), { code: "ECONNRESET" })],
    ["a bug nobody named", new TypeError("undefined is not a function")],
    ["a thrown text", "text"],
    ["nothing at all", undefined],
  ];
  for (const [what, error] of transient) {
    it(`never parks for ${what}`, () => {
      expect(failureAction(error)).to.equal("retry");
    });
  }
});
