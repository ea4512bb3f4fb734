import { expect } from "chai";
import fc from "fast-check";
import { cases, timeFor } from "../testing/cases.ts";
import { amountOf, PER_USER_LIMIT_MAX, PRICE_MAX } from "./money.ts";

describe("an amount", () => {
  it("is exact up to the highest price and the highest quantity", () => {
    expect(amountOf(PRICE_MAX, PER_USER_LIMIT_MAX)).to.equal(100_000_000_000_000);
  });

  it("is exact for every price and quantity that can be sold", function () {
    this.timeout(timeFor(10_000));
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: PRICE_MAX }),
        fc.integer({ min: 1, max: PER_USER_LIMIT_MAX }),
        (price, quantity) => {
          expect(BigInt(amountOf(price, quantity))).to.equal(BigInt(price) * BigInt(quantity));
        },
      ),
      { numRuns: cases(1_000) },
    );
  });

  const inexact: [number, number][] = [
    [0, 1],
    [1, 0],
    [-1, 1],
    [-1, -1],
    [0.1, 1],
    [1, 1.5],
    [Number.NaN, 1],
    [1, Number.POSITIVE_INFINITY],
    [Number.MAX_SAFE_INTEGER, 2],
    [2 ** 53, 1],
  ];
  for (const [price, quantity] of inexact) {
    it(`is refused for ${price} × ${quantity}`, () => {
      expect(() => amountOf(price, quantity)).to.throw(RangeError);
    });
  }
});
