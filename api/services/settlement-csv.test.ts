import parse from "csv-parse/lib/sync.js";
import { expect } from "chai";
import fc from "fast-check";
import { cases } from "../../shared/testing/cases.ts";
import { orderIdOf, SALE_START } from "../../shared/testing/samples.ts";
import { NAUGHTY_STRINGS } from "../../test/support/naughty-strings.ts";
import { dailyCsv, settlementCsv } from "./settlement-csv.ts";

const dayWith = (title: string) =>
  dailyCsv([{ day: "2027-01-01", productId: 1, title, currency: "KRW", count: 2, amount: 198_000 }]);
const rowsOf = (csv: string): string[][] => parse(csv) as string[][];
const titleIn = (csv: string): string | undefined => rowsOf(csv)[1]?.[2];

describe("a CSV file", () => {
  it("has a header, a line a row, and lines that end as RFC 4180 says", () => {
    const csv = settlementCsv([
      {
        ...{ id: 7, orderId: orderIdOf(1), userId: 2, productId: 3, type: "charge" },
        ...{ amount: 99_000, currency: "KRW", settledAt: SALE_START },
      },
    ]);
    expect(csv).to.equal(
      "id,orderId,userId,productId,type,amount,currency,settledAt\r\n" +
        `7,${orderIdOf(1)},2,3,charge,99000,KRW,2027-01-01T09:00:00.000Z\r\n`,
    );
    expect(settlementCsv([])).to.match(/^id,[^\r\n]+\r\n$/);
  });

  for (const first of ["=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠"]) {
    it(`holds no formula: ${JSON.stringify(first)} gets an apostrophe in front`, () => {
      const title = `${first}HYPERLINK("http://evil.example","x")`;
      expect(titleIn(dayWith(title))).to.equal(`'${title}`);
    });
  }

  it("gives every other text back as it was, with commas, quotes and lines", () => {
    // Half a surrogate pair is nothing that UTF-8, or the database, could hold.
    const any = fc
      .oneof(fc.string({ unit: "grapheme" }), fc.constantFrom(...NAUGHTY_STRINGS))
      .map((text) => Buffer.from(text).toString());
    fc.assert(
      fc.property(any, (title) => {
        const formula = /^[=+\-@\t\r＝＋－＠]/.test(title);
        expect(titleIn(dayWith(title))).to.equal(formula ? `'${title}` : title);
      }),
      { numRuns: cases(500) },
    );
  });

  it("leaves numbers numbers", () => {
    const csv = dailyCsv([
      { day: "2027-01-01", productId: 1, title: "-1", currency: "KRW", count: 1, amount: -5 },
    ]);
    expect(rowsOf(csv)[1]).to.deep.equal(["2027-01-01", "1", "'-1", "KRW", "1", "-5"]);
  });
});
