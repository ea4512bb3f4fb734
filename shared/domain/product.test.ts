import { expect } from "chai";
import { sampleProduct } from "../testing/samples.ts";
import { saleState } from "./product.ts";

describe("the state of a sale", () => {
  const sale = sampleProduct({ startTime: 1_000, endTime: 2_000 });
  const rows: [number, number, string][] = [
    [999, 1, "scheduled"],
    [1_000, 1, "open"],
    [1_999, 1, "open"],
    [2_000, 1, "closed"],
    [1_500, 0, "sold_out"],
    [2_000, 0, "closed"],
  ];
  for (const [now, left, state] of rows) {
    it(`is ${state} at ${now} with ${left} left, open from 1000 until before 2000`, () => {
      expect(saleState(sale, left, now)).to.equal(state);
    });
  }
});
