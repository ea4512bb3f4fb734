import { expect } from "chai";
import { growthOfLastHalf } from "./fuzz/memory.ts";

describe("what a program has come to keep over the last half of its work", () => {
  const samples = (bytesAt: (n: number) => number) => Array.from({ length: 40 }, (_, n) => bytesAt(n));

  it("is nothing where it has found its size, whatever it grew by before and however it swings", () => {
    expect(growthOfLastHalf(samples((n) => Math.min(n, 15) * 1_000))).to.equal(0);
    expect(Math.abs(growthOfLastHalf(samples((n) => 50_000 + (n % 2) * 4_000)) ?? NaN)).to.be.lessThan(1_000);
  });

  it("is what it leaks, where each piece of work leaves something behind", () => {
    expect(growthOfLastHalf(samples((n) => n * 1_000))).to.be.closeTo(19_000, 1);
    expect(growthOfLastHalf(samples((n) => n * 1_000 + (n % 2) * 4_000))).to.be.closeTo(19_000, 2_000);
  });

  it("is not told by a handful of samples", () => {
    expect(growthOfLastHalf([1, 2, 3])).to.equal(undefined);
  });
});
