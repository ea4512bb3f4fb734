import { expect } from "chai";
import { parseCsv, summarize } from "./jtl.ts";

const HEADER =
  "timeStamp,elapsed,label,responseCode,responseMessage,threadName,success,failureMessage,bytes,Latency,outcome";

const order = (at: number, elapsed: number, code: string, success: boolean, outcome: string, failure = "") =>
  `${String(at)},${String(elapsed)},order,${code},Said so,buyers 1-1,${String(success)},${failure},300,1,${outcome}`;

const file = (...lines: string[]): string => `${[HEADER, ...lines].join("\n")}\n`;

describe("JMeter's results", () => {
  it("count an order as accepted by its body only", () => {
    const summary = summarize(
      file(
        order(1_000, 5, "202", true, "PENDING"),
        order(1_010, 7, "200", false, "none", '"expected to contain /""status"":""PENDING""/"'),
        order(1_020, 9, "409", false, "sold_out"),
        order(1_030, 11, "503", false, "not_ready"),
        order(1_040, 13, "Non HTTP response code: java.net.SocketException", false, "none"),
      ),
    );
    expect(summary).to.deep.include({ offered: 5, httpOk: 2, accepted: 1, refused: 1, errors: 3 });
    expect(Object.fromEntries(summary.outcomes)).to.deep.equal({
      PENDING: 1,
      none: 2,
      sold_out: 1,
      not_ready: 1,
    });
  });

  it("do not believe a success that found no word in the body", () => {
    expect(summarize(file(order(1, 1, "202", true, "none"))).accepted).to.equal(0);
  });

  it("take their times from accepted orders", () => {
    const summary = summarize(
      file(
        order(1_000, 500, "202", true, "PENDING"),
        order(1_200, 20, "202", true, "PENDING"),
        order(1_300, 9_000, "503", false, "not_ready"),
      ),
    );
    expect(summary.answerMs).to.deep.equal({ at: [20, 500, 500, 500], max: 500 });
    expect(summary).to.deep.include({ firstAt: 1_000, lastSentAt: 1_300, lastAcceptedAt: 1_500 });
  });

  it("set those of a warm JMeter apart", () => {
    const summary = summarize(
      file(order(1_000, 900, "202", true, "PENDING"), order(6_000, 4, "202", true, "PENDING")),
    );
    expect(summary.answerMs?.max).to.equal(900);
    expect(summary.warmAnswerMs?.max).to.equal(4);
  });

  it("leave samples of other names out", () => {
    expect(
      summarize(file(order(1, 1, "202", true, "PENDING").replace(",order,", ",look,"))).offered,
    ).to.equal(0);
  });

  it("show the most frequent complaints", () => {
    const refused = order(1, 1, "503", false, "not_ready");
    expect(summarize(file(refused, refused, order(1, 1, "500", false, "internal"))).complaints).to.deep.equal(
      ["2 × 503 not_ready: Said so", "1 × 500 internal: Said so"],
    );
  });

  it("are refused when a column is missing, a line is torn, or there is nothing", () => {
    expect(() => summarize(file("1,2,order"))).to.throw("torn");
    expect(() => summarize("timeStamp,elapsed\n")).to.throw("no column");
    expect(() => summarize("")).to.throw("empty");
  });

  it("are CSV with quotes, commas and line breaks", () => {
    expect(parseCsv('a,"b, ""c""\nd",\r\n,"",e')).to.deep.equal([
      ["a", 'b, "c"\nd', ""],
      ["", "", "e"],
    ]);
  });
});
