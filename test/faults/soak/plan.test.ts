import { expect } from "chai";
import fc from "fast-check";
import { createRandom } from "../random.ts";
import { planOf } from "./plan.ts";

const wish = { lengthMs: 600_000, apis: 2, workers: 2, withDataLoss: false };
const plan = (seed: number, withDataLoss = false) => planOf(createRandom(seed), { ...wish, withDataLoss });
const seeds = fc.nat({ max: 1_000_000 });

describe("the plan of a soak", () => {
  it("is the same for the same seed", () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        expect(plan(seed)).to.deep.equal(plan(seed));
      }),
    );
    expect(plan(1)).not.to.deep.equal(plan(2));
  });

  it("brings a fault about every 5 to 15 s, to the end", () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const times = plan(seed).map(({ atMs }) => atMs);
        for (const [i, at] of times.slice(1).entries()) expect(at - times[i]!).to.be.within(5_000, 15_000);
        expect(times.at(-1)).to.be.within(wish.lengthMs - 20_000, wish.lengthMs);
      }),
    );
  });

  it("empties Redis only when data may be lost", () => {
    const forgets = (withDataLoss: boolean) =>
      Array.from({ length: 20 }, (_, seed) => plan(seed, withDataLoss))
        .flat()
        .filter(({ fault }) => fault.kind === "forget").length;
    expect(forgets(false)).to.equal(0);
    expect(forgets(true)).to.be.above(0);
  });
});
