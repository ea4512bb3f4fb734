import { expect } from "chai";
import { findingsOf, type Observed } from "./findings.ts";
import { percentilesOf } from "./percentiles.ts";

describe("what keeps a run from counting as clean", () => {
  const always = (seconds: number, count: number) => ({
    buckets: [
      { upTo: seconds / 2, count: 0 },
      { upTo: seconds, count },
      { upTo: Infinity, count },
    ],
    sum: seconds * count,
    count,
  });
  const clean = (): Observed => ({
    wanted: { users: 4, duration: 1 },
    jtl: {
      ...{ offered: 4, httpOk: 4, accepted: 4, refused: 0, errors: 0 },
      outcomes: new Map([["PENDING", 4]]),
      answerMs: percentilesOf([8, 8, 9, 12]),
      warmAnswerMs: undefined,
      ...{ firstAt: 0, lastSentAt: 1_000, lastAcceptedAt: 1_012 },
      complaints: [],
    },
    server: {
      outcomes: new Map([["accepted", 4]]),
      answer: always(0.01, 4),
      decision: always(0.05, 4),
    },
    ledger: {
      ...{ settled: 4, succeeded: 4, failed: 0 },
      decisionMs: percentilesOf([20, 30, 40, 45]),
      lastDecidedAt: 1_050,
    },
  });

  it("is nothing when all count the same", () => {
    expect(findingsOf(clean())).to.deep.equal([]);
  });

  const cases: [string, string, (observed: Observed) => void][] = [
    ["fewer orders than buyers", "offered 4 of 5", (o) => (o.wanted.users = 5)],
    ["a rate that was not met", "the set rate was not met", (o) => (o.jtl.lastSentAt = 1_600)],
    ["an error", "1 errors", (o) => (o.jtl.errors = 1)],
    ["an order without settlement", "3 orders are settled", (o) => (o.ledger.settled = 3)],
    ["an accepted order that FAILED", "1 accepted orders FAILED", (o) => (o.ledger.failed = 1)],
    [
      "another count in the API",
      "mismatch: accepted: JMeter 4, flashpay_orders_total 5",
      (o) => (o.server.outcomes = new Map([["accepted", 5]])),
    ],
    [
      "an answer that JMeter never saw",
      "mismatch: outcome_unknown: JMeter 0, flashpay_orders_total 1",
      (o) => (o.server.outcomes = new Map([...o.server.outcomes, ["outcome_unknown", 1]])),
    ],
    ["a client faster than its server", "mismatch: answer p50", (o) => (o.server.answer = always(1, 4))],
    [
      "a worker faster than its own rows",
      "mismatch: decision p50",
      (o) => (o.server.decision = always(0.01, 4)),
    ],
    ["another count in the worker", "the worker counted 3", (o) => (o.server.decision = always(0.05, 3))],
  ];
  for (const [name, finding, spoil] of cases) {
    it(`is ${name}`, () => {
      const observed = clean();
      spoil(observed);
      expect(findingsOf(observed).join("\n")).to.contain(finding);
    });
  }

  it("is not that the counter of orders knows nothing of what is refused before", () => {
    const observed = clean();
    observed.jtl.outcomes = new Map([
      ["PENDING", 4],
      ["too_many_requests", 1],
    ]);
    expect(findingsOf(observed).join("\n")).not.to.contain("mismatch");
  });
});
