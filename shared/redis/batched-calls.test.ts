import { expect } from "chai";
import { createBatchedCalls } from "./batched-calls.ts";

describe("batched calls", () => {
  const turn = () => new Promise((resolve) => setImmediate(resolve));

  function recorded(max = 10) {
    const calls: string[][] = [];
    const ask = createBatchedCalls<string, string>({
      groupOf: (item) => item[0] ?? "",
      max,
      call: async (items) => {
        calls.push([...items]);
        return items.map((item) => item.toUpperCase());
      },
    });
    return { calls, ask };
  }

  it("are one call for what is asked in one turn, and each asker hears its own reply", async () => {
    const { calls, ask } = recorded();
    expect(await Promise.all(["a1", "a2", "a3"].map(ask))).to.deep.equal(["A1", "A2", "A3"]);
    expect(calls).to.deep.equal([["a1", "a2", "a3"]]);
  });

  it("keep groups apart, and hold no more than is allowed", async () => {
    const { calls, ask } = recorded(2);
    await Promise.all(["a1", "b1", "a2", "a3"].map(ask));
    expect(calls).to.deep.equal([["a1", "a2"], ["a3"], ["b1"]]);
  });

  it("do not wait for a call under way", async () => {
    const calls: string[][] = [];
    const ask = createBatchedCalls<string, string>({
      groupOf: () => "",
      max: 10,
      call: (items) => {
        calls.push([...items]);
        return new Promise(() => undefined);
      },
    });
    void ask("a");
    await turn();
    void ask("b");
    await turn();
    expect(calls).to.deep.equal([["a"], ["b"]]);
  });

  it("that fail, or answer for too few, fail for whom they did not answer", async () => {
    const failing = createBatchedCalls<string, string>({
      groupOf: () => "",
      max: 10,
      call: () => Promise.reject(new Error("gone")),
    });
    const short = createBatchedCalls<string, string>({
      groupOf: () => "",
      max: 10,
      call: async () => ["only"],
    });
    const outcomes = await Promise.allSettled([failing("a"), failing("b"), short("c"), short("d")]);
    expect(outcomes.map(({ status }) => status)).to.deep.equal([
      "rejected",
      "rejected",
      "fulfilled",
      "rejected",
    ]);
  });
});
