import { expect } from "chai";
import { createTally, LOST } from "./tally.ts";

describe("the load client's tally", () => {
  it("counts each answer by its outcome, and only 202 as accepted", () => {
    const tally = createTally(10);
    for (const outcome of ["202", "409 sold_out", "202", "200"]) {
      tally.sent(0);
      tally.heard(outcome, 1);
    }
    expect(tally.total(0, 1)).to.deep.include({
      ...{ offered: 4, answered: 4, accepted: 2 },
      outcomes: { "202": 2, "409 sold_out": 1, "200": 1 },
    });
  });

  it("takes a request whose connection ended for no answer, and for nothing that is still under way", () => {
    const tally = createTally(10);
    tally.sent(0);
    tally.sent(0);
    tally.heard(LOST, 9_999);
    expect(tally.underWay()).to.equal(1);
    tally.heard("202", 5);
    expect(tally.underWay()).to.equal(0);
    expect(tally.total(0, 1)).to.deep.include({
      offered: 2,
      answered: 1,
      answerMs: { at: [5, 5, 5, 5], max: 5 },
    });
  });

  it("remembers how late the latest request went out", () => {
    const tally = createTally(10);
    for (const lateMs of [0.2, 7, 0.1]) tally.sent(lateMs);
    expect(tally.total(0, 1).lateMsMax).to.equal(7);
  });
});
