import { expect } from "chai";
import { FAIL_REASONS } from "../shared/domain/order.ts";
import { PROBLEMS } from "./middleware/error-handler.ts";
import { CODE_TEXTS } from "./pages/lib/code-texts.ts";

/** What the pages say for themselves. */
const OWN = ["network", "wrong_log_in", "admins_only", "broken_off"];

describe("the pages' texts", () => {
  it("have one for every code of the API and every reason of a FAILED order, and none for anything else", () => {
    const codes = new Set([...Object.keys(PROBLEMS), ...FAIL_REASONS, ...OWN]);
    expect(Object.keys(CODE_TEXTS).toSorted()).to.deep.equal([...codes].toSorted());
  });

  it("say it in both languages", () => {
    for (const [code, [english, korean]] of Object.entries(CODE_TEXTS)) {
      expect(english, code).to.match(/^[A-Z][^가-힣]+\.$/);
      expect(korean, code).to.match(/[가-힣].*[.]$/);
    }
  });
});
