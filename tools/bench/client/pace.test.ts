import { expect } from "chai";
import { intendedMs, requestsAtMost, requestsDue } from "./pace.ts";
import type { Pace } from "./plan.ts";

const open: Pace = { kind: "open", rate: 500, seconds: 2 };
const closed: Pace = { kind: "closed", seconds: 2 };

describe("the load client's pace", () => {
  it("open: sends at a constant rate, the first at once", () => {
    expect([0, 1, 2, 1_000].map((ms) => requestsDue(open, 1_000, ms))).to.deep.equal([1, 1, 2, 501]);
  });

  it("open: owes after a pause all that should have gone out in it, each at its own time", () => {
    expect(requestsDue(open, 1_000, 400)).to.equal(201);
    expect(intendedMs(open, 100, 400)).to.equal(200);
  });

  it("open: ends with the last request of its time", () => {
    const requests = { method: "GET", paths: ["/"], count: 5_000 } as const;
    expect(requestsAtMost({ addresses: [], connections: 1, pace: open, requests })).to.equal(1_000);
    expect(requestsDue(open, 1_000, 60_000)).to.equal(1_000);
  });

  it("closed: sends whenever a connection is free, until the time is over", () => {
    expect(requestsDue(closed, 800, 1_999)).to.equal(800);
    expect(requestsDue(closed, 800, 2_000)).to.equal(0);
    expect(intendedMs(closed, 5, 123)).to.equal(123);
  });
});
