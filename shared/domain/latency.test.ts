import { expect } from "chai";
import fc from "fast-check";
import { cases } from "../testing/cases.ts";
import { LATENCY_STEPS, latencyStepOf, percentileMs } from "./latency.ts";

const countsOf = (durations: readonly number[]): number[] => {
  const counts = Array.from({ length: LATENCY_STEPS }, () => 0);
  for (const ms of durations) counts[latencyStepOf(ms)]! += 1;
  return counts;
};

describe("a percentile of counted durations", () => {
  it("is at most a fifth above the real one, and never below it", () => {
    const durations = fc.array(fc.double({ min: 0.5, max: 50_000, noNaN: true }), { minLength: 1 });
    fc.assert(
      fc.property(durations, fc.constantFrom(0.5, 0.9, 0.99), (all, part) => {
        const sorted = [...all].sort((a, b) => a - b);
        const real = sorted[Math.max(0, Math.ceil(sorted.length * part) - 1)]!;
        expect(percentileMs(countsOf(all), part)).to.be.within(real * 0.999, real * 1.21);
      }),
      { numRuns: cases(1_000) },
    );
  });

  it("of none is unknown; of those beyond all steps it is the last one", () => {
    expect(percentileMs(countsOf([]), 0.99)).to.equal(null);
    expect(percentileMs(countsOf([1e9]), 0.5)).to.be.above(50_000);
    expect(latencyStepOf(0)).to.equal(0);
  });
});
