import { expect } from "chai";
import { percentilesOf } from "./percentiles.ts";

describe("percentiles", () => {
  it("are measured values, by nearest rank", () => {
    const values = Array.from({ length: 1_000 }, (_, index) => 1_000 - index);
    expect(percentilesOf(values)).to.deep.equal({ at: [500, 900, 990, 999], max: 1_000 });
  });

  it("sort by size, not by spelling", () => {
    expect(percentilesOf([9, 100])).to.deep.equal({ at: [9, 100, 100, 100], max: 100 });
  });

  it("of one value are that value, of none nothing", () => {
    expect(percentilesOf([7])).to.deep.equal({ at: [7, 7, 7, 7], max: 7 });
    expect(percentilesOf([])).to.equal(undefined);
  });
});
