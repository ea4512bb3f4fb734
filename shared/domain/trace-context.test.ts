import { expect } from "chai";
import type { SpanOptions, Tracing } from "./ports.ts";
import { traced, traceIdIn } from "./trace-context.ts";

const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT = `00-${TRACE}-00f067aa0ba902b7-01`;

describe("the header traceparent", () => {
  it("tells its trace", () => {
    expect(traceIdIn(PARENT)).to.equal(TRACE);
  });

  for (const [what, header] of [
    ["no trace", `00-${"0".repeat(32)}-00f067aa0ba902b7-01`],
    ["no parent", `00-${TRACE}-${"0".repeat(16)}-01`],
    ["a forbidden version", `ff-${TRACE}-00f067aa0ba902b7-01`],
    ["capitals", PARENT.toUpperCase()],
    ["something behind it", `${PARENT}\n`],
    ["nothing", ""],
  ] as const) {
    it(`is none with ${what}`, () => {
      expect(traceIdIn(header)).to.equal(undefined);
    });
  }
});

describe("traced work", () => {
  const options: SpanOptions = { kind: "internal", parent: PARENT };

  it("runs in its parent's context where nothing is traced", async () => {
    expect(await traced(undefined, "work", options, (context) => Promise.resolve(context))).to.equal(PARENT);
  });

  it("runs in a span's context, which ends once, with the error that the caller hears", async () => {
    const ends: unknown[] = [];
    const tracing: Tracing = {
      start: (name) => ({
        traceparent: `context of ${name}`,
        end: (ending) => void ends.push(ending?.error),
      }),
    };
    expect(await traced(tracing, "work", options, (context) => Promise.resolve(context))).to.equal(
      "context of work",
    );
    const failure = new Error("no");
    const heard = await traced(tracing, "work", options, () => Promise.reject(failure)).catch(
      (error: unknown) => error,
    );
    expect(heard).to.equal(failure);
    expect(ends).to.deep.equal([undefined, failure]);
  });
});
