import { expect } from "chai";
import type { Round } from "./order-round.ts";
import { cell, tableOf } from "./present.ts";
import { caseResult, complaintsOf } from "./results.ts";

const round = (figures: Record<string, number>, complaints: string[] = []): Round => ({
  ...{ figures, complaints, outcomes: {} },
});
const measured = (ours: number, theirs: number) =>
  caseResult(
    "saturation-64",
    "one product",
    new Map([
      ["flashpay", [round({ settled_per_s: ours })]],
      ["bare", [round({ settled_per_s: theirs })]],
    ]),
  );
/** The words of the line that begins with this figure. */
const line = (text: string, figure: string) =>
  text
    .split("\n")
    .find((candidate) => candidate.trim().startsWith(figure))
    ?.trim()
    .split(/\s+/)
    .slice(1);

describe("a bench's results, for a person", () => {
  it("show each figure of each target, and FlashPay's as a share", () => {
    expect(line(tableOf(measured(1_500, 2_000)), "settled_per_s")).to.deep.equal(["1500", "2000", "0.75"]);
  });

  it("show what an earlier run had beside it, and the ratio", () => {
    const text = tableOf(measured(1_500, 2_000), measured(1_000, 2_000));
    expect(line(text, "settled_per_s")?.slice(-2)).to.deep.equal(["1000", "1.5"]);
  });

  it("show a dash for what the earlier run did not measure", () => {
    const earlier = caseResult("saturation-64", "", new Map([["flashpay", [round({ accepted: 1 })]]]));
    expect(line(tableOf(measured(1, 2), earlier), "settled_per_s")?.slice(-2)).to.deep.equal(["-", "-"]);
  });

  it("show no more digits than a round can tell", () => {
    expect([12_345.678, 1_234.5, 123.456, 1.23456, 0.012345, 0].map(cell)).to.deep.equal([
      "12346",
      "1235",
      "123",
      "1.23",
      "0.0123",
      "0",
    ]);
  });

  it("name the case, the target and the round of everything that went wrong", () => {
    const result = caseResult(
      "open-500",
      "",
      new Map([["bare", [round({}), round({}, ["3 orders were not answered"])]]]),
    );
    expect(complaintsOf([result])).to.deep.equal(["open-500, bare, round 2: 3 orders were not answered"]);
  });
});
