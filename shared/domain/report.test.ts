import { expect } from "chai";
import { DomainError } from "./errors.ts";
import {
  createTally,
  filterOf,
  sameExtent,
  sameTotals,
  SUMMARY_DAYS_MAX,
  summaryPeriod,
  type ReportWish,
} from "./report.ts";
import { dayAfter } from "./time-zone.ts";

const at = (text: string): number => Date.parse(text);
const NOW = at("2027-03-10T16:00:00Z");

function pointerOf(work: () => unknown): string | undefined {
  try {
    work();
  } catch (error) {
    return error instanceof DomainError ? error.details.errors?.[0]?.pointer : String(error);
  }
  return undefined;
}

describe("a report's period", () => {
  it("takes instants as they are and days by the time zone", () => {
    expect(filterOf({ from: "2027-01-01", to: 5e12, userId: 1 }, "Asia/Seoul")).to.deep.equal({
      ...{ from: at("2026-12-31T15:00:00Z"), to: 5e12, userId: 1 },
    });
    expect(filterOf({ productId: 2 }, "UTC")).to.deep.equal({ productId: 2 });
  });

  it("must hold something", () => {
    for (const wish of [
      { from: 1, to: 1 },
      { from: "2027-01-02", to: "2027-01-01" },
    ] satisfies ReportWish[])
      expect(pointerOf(() => filterOf(wish, "UTC"))).to.equal("#/query/to");
  });
});

describe("the period of a summary", () => {
  it("ends with today where the reports are read, and has 31 days", () => {
    const { filter, starts } = summaryPeriod({}, "Asia/Seoul", NOW);
    expect(filter.to).to.equal(at("2027-03-11T15:00:00Z"));
    expect(starts).to.have.length(31);
    expect(starts[0]).to.deep.equal({ day: "2027-02-09", from: at("2027-02-08T15:00:00Z") });
    expect(starts.at(-1)?.day).to.equal("2027-03-11");
  });

  it("may begin and end in the middle of a day", () => {
    const wish = { from: at("2027-01-01T12:00:00Z"), to: at("2027-01-03T00:00:00.001Z") };
    const { filter, starts } = summaryPeriod(wish, "UTC", NOW);
    expect(filter).to.deep.equal(wish);
    expect(starts).to.deep.equal([
      { day: "2027-01-01", from: wish.from },
      { day: "2027-01-02", from: at("2027-01-02T00:00:00Z") },
      { day: "2027-01-03", from: at("2027-01-03T00:00:00Z") },
    ]);
  });

  it("has at most a year, a leap one too", () => {
    const from = "2028-01-01";
    const upTo = (days: number) => () => summaryPeriod({ from, to: dayAfter(from, days) }, "UTC", NOW);
    expect(upTo(SUMMARY_DAYS_MAX)().starts).to.have.length(366);
    expect(pointerOf(upTo(SUMMARY_DAYS_MAX + 1))).to.equal("#/query/from");
    expect(pointerOf(() => summaryPeriod({ from: "2027-01-02", to: "2027-01-02" }, "UTC", NOW))).to.equal(
      "#/query/to",
    );
  });
});

describe("what was written, against what there is", () => {
  const krw = { currency: "KRW", count: 2, amount: 5 };
  const usd = { currency: "USD", count: 1, amount: 7 };
  const tallied = (...rows: [id: number, currency: string, amount: number][]) => {
    const tally = createTally();
    for (const [id, currency, amount] of rows) tally.add({ id, currency, amount });
    return tally.extent();
  };

  it("is added up by currency, with the first and the last id", () => {
    const extent = tallied([3, "USD", 7], [5, "KRW", 2], [9, "KRW", 3]);
    expect(extent).to.deep.equal({ firstId: 3, lastId: 9, totals: [krw, usd] });
    expect(tallied()).to.deep.equal({ firstId: null, lastId: null, totals: [] });
  });

  it("differs by a row, an amount, a currency or an id", () => {
    const extent = tallied([5, "KRW", 2], [9, "KRW", 3]);
    expect(sameExtent(extent, { ...extent, totals: [{ ...krw }] })).to.equal(true);
    expect(sameExtent(extent, tallied([5, "KRW", 5]))).to.equal(false);
    expect(sameExtent(extent, tallied([5, "KRW", 2], [9, "KRW", 4]))).to.equal(false);
    expect(sameExtent(extent, tallied([5, "KRW", 2], [9, "USD", 3]))).to.equal(false);
    expect(sameExtent(extent, tallied([5, "KRW", 2], [8, "KRW", 3]))).to.equal(false);
    expect(sameTotals([krw, usd], [usd, krw])).to.equal(true);
  });

  it("is never the same beyond what a number holds exactly", () => {
    const huge = [{ currency: "KRW", count: 1, amount: 2 ** 53 }];
    expect(sameTotals(huge, huge)).to.equal(false);
  });
});
