import { expect } from "chai";
import type { Response, Test } from "supertest";
import { request } from "../test/support/checked-request.ts";
import { createTestApp, type TestApp } from "./app.test.ts";

const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
const TRACEPARENT = `00-${TRACE}-00f067aa0ba902b7-01`;

type Ask = ReturnType<typeof request>;
interface Act {
  readonly name: string;
  /** A line that the act writes of itself, besides the request's. */
  readonly says: string;
  readonly status: number;
  readonly prepare?: (scene: TestApp) => unknown;
  readonly act: (ask: Ask) => Test;
}

const change = (body: object) => (ask: Ask) => ask.patch("/api/products/1").send(body);
const replay = (ask: Ask) => ask.post("/api/admin/dead-letters/1/replay");
const ACTS: readonly Act[] = [
  { name: "a changed sale", says: "sale changed", status: 200, act: change({ title: "Another title" }) },
  {
    name: "a sale whose added units do not reach Redis",
    says: "added units not on sale yet; the reconciler puts them there",
    status: 200,
    prepare: ({ stock }) => {
      stock.faults.fail("raise");
    },
    act: change({ stock: 1_000_000 }),
  },
  {
    name: "an export",
    says: "settlements exported",
    status: 200,
    act: (ask) => ask.get("/api/settlements/export"),
  },
  {
    name: "an export that differs from the running totals",
    says: "settlements were not exported",
    status: 500,
    prepare: ({ database }) =>
      database.tables.totals.set("product:1:KRW", { currency: "KRW", count: 3, amount: 600 }),
    act: (ask) => ask.get("/api/settlements/export"),
  },
  { name: "a replayed letter", says: "dead letter replayed", status: 202, act: replay },
  {
    name: "a letter that the log does not take",
    says: "dead letter not handed over; it stays parked",
    status: 503,
    prepare: ({ administration }) => {
      administration.faults.fail("send");
    },
    act: replay,
  },
  {
    name: "a discarded letter",
    says: "dead letter discarded",
    status: 200,
    act: (ask) => ask.post("/api/admin/dead-letters/1/discard").send({ reason: "a test producer" }),
  },
  {
    name: "a product that is reconciled",
    says: "product reconciled",
    status: 200,
    act: (ask) => ask.post("/api/admin/products/1/reconcile"),
  },
];

describe("what an administrator does", () => {
  for (const { name, says, status, prepare, act } of ACTS) {
    it(`is told under its traceId in every line: ${name}`, async () => {
      const scene = createTestApp();
      await scene.openSale();
      scene.administration.park(1);
      prepare?.(scene);
      const mark = scene.log.lines.length;
      const response: Response = await act(request(scene.app))
        .set("Authorization", scene.bearer(3, "admin"))
        .set("traceparent", TRACEPARENT);
      expect(response.status).to.equal(status);
      const lines = scene.log.lines.slice(mark).filter(({ level }) => level !== "debug");
      expect(lines.map(({ message }) => message)).to.include.members([says, "request"]);
      expect(lines.filter(({ fields }) => fields["traceId"] !== TRACE)).to.deep.equal([]);
    });
  }
});
