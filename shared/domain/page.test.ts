import { expect } from "chai";
import { toPage } from "./page.ts";

describe("a page", () => {
  const identity = (row: number) => row;

  it("has no next one when no row is left over", () => {
    expect(toPage([3, 2], 2, identity)).to.deep.equal({ rows: [3, 2], next: null });
  });

  it("cuts the extra row and goes on behind the last one shown", () => {
    expect(toPage([3, 2, 1], 2, identity)).to.deep.equal({ rows: [3, 2], next: 2 });
  });

  it("is empty when there is nothing", () => {
    expect(toPage([], 2, identity)).to.deep.equal({ rows: [], next: null });
  });
});
