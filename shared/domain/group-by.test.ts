import { expect } from "chai";
import { groupBy } from "./group-by.ts";

describe("grouping", () => {
  it("keeps every item, in order, under its key, keys by first appearance", () => {
    const groups = groupBy(["b1", "a1", "b2"], (item) => item[0]);
    expect([...groups]).to.deep.equal([
      ["b", ["b1", "b2"]],
      ["a", ["a1"]],
    ]);
  });
});
