import { expect } from "chai";
import { median, mediansOf, percentileFigures, sharesOf } from "./figures.ts";

describe("a bench's figures", () => {
  it("takes the middle of the rounds, and the mean of the middle two", () => {
    expect(median([30, 10, 20])).to.equal(20);
    expect(median([40, 10, 20, 30])).to.equal(25);
    expect(median([7])).to.equal(7);
  });

  it("takes each figure's median over the rounds that have it", () => {
    const rounds = [{ rate: 3, lag: 10 }, { rate: 1 }, { rate: 2, lag: 20 }];
    expect(mediansOf(rounds)).to.deep.equal({ rate: 2, lag: 15 });
  });

  it("keeps a figure that is 0", () => {
    expect(mediansOf([{ failed: 0 }, { failed: 0 }])).to.deep.equal({ failed: 0 });
  });

  it("tells shares of what the yardstick has too", () => {
    expect(sharesOf({ rate: 150, own: 1, idle: 5 }, { rate: 100, idle: 0 })).to.deep.equal({ rate: 1.5 });
  });

  it("names percentiles so that they can be read in a file", () => {
    expect(percentileFigures("answer", { at: [1, 2, 3, 4], max: 5 })).to.deep.equal({
      answer_p50_ms: 1,
      answer_p90_ms: 2,
      answer_p99_ms: 3,
      "answer_p99.9_ms": 4,
      answer_max_ms: 5,
    });
    expect(percentileFigures("answer", undefined)).to.deep.equal({});
  });
});
