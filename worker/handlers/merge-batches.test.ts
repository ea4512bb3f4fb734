import { expect } from "chai";
import type { RawMessage } from "../../shared/domain/ports.ts";
import { rawMessage } from "../../shared/testing/samples.ts";
import { mergeBatches, type HandleBatch } from "./merge-batches.ts";

const MINE = () => true;
const messages = (...offsets: number[]) => offsets.map((offset) => rawMessage(offset, "x"));
const offsetsOf = (batch: readonly RawMessage[]) => batch.map(({ offset }) => Number(offset));

/** A handler that is done when the test says so. */
function createHandler() {
  const calls: { readonly offsets: number[]; readonly mine: () => boolean; readonly end: End }[] = [];
  let called = (): void => undefined;
  const handle: HandleBatch = (batch, mine) =>
    new Promise((resolve, reject) => {
      calls.push({ offsets: offsetsOf(batch), mine, end: { resolve, reject } });
      called();
    });
  const call = async (n: number) => {
    while (calls.length < n) await new Promise<void>((resolve) => (called = resolve));
    const found = calls[n - 1];
    if (!found) throw new Error("no such call");
    return found;
  };
  return { handle, call, calls };
}
interface End {
  readonly resolve: (outcome: "decided" | "abandoned") => void;
  readonly reject: (error: Error) => void;
}

describe("batches of several partitions", () => {
  it("that come at once are one batch, and each hears that it is decided", async () => {
    const { handle, call } = createHandler();
    const merged = mergeBatches(handle, 100);
    const outcomes = Promise.all([merged(messages(1, 2), MINE), merged(messages(3), MINE)]);
    const first = await call(1);
    expect(first.offsets).to.deep.equal([1, 2, 3]);
    first.end.resolve("decided");
    expect(await outcomes).to.deep.equal(["decided", "decided"]);
  });

  it("that come while one is being decided wait, and are the next one together", async () => {
    const { handle, call } = createHandler();
    const merged = mergeBatches(handle, 100);
    const outcomes = [merged(messages(1), MINE)];
    const first = await call(1);
    outcomes.push(merged(messages(2), MINE), merged(messages(3), MINE));
    first.end.resolve("decided");
    const second = await call(2);
    expect(second.offsets).to.deep.equal([2, 3]);
    second.end.resolve("decided");
    expect(await Promise.all(outcomes)).to.deep.equal(["decided", "decided", "decided"]);
  });

  it("are no more than the size allows, but for a part that is larger by itself", async () => {
    const { handle, call } = createHandler();
    const merged = mergeBatches(handle, 3);
    const outcomes = [messages(1, 2, 3, 4), messages(5, 6), messages(7), messages(8)].map((part) =>
      merged(part, MINE),
    );
    for (const [n, offsets] of [[1, 2, 3, 4], [5, 6, 7], [8]].entries()) {
      const next = await call(n + 1);
      expect(next.offsets).to.deep.equal(offsets);
      next.end.resolve("decided");
    }
    expect(await Promise.all(outcomes)).to.deep.equal(Array(4).fill("decided"));
  });

  it("of which one is lost on the way are decided again without it", async () => {
    const { handle, call } = createHandler();
    const merged = mergeBatches(handle, 100);
    let lost = false;
    const outcomes = Promise.all([merged(messages(1), () => !lost), merged(messages(2), MINE)]);
    const first = await call(1);
    expect(first.mine()).to.equal(true);
    lost = true;
    expect(first.mine()).to.equal(false);
    first.end.resolve("abandoned");
    const second = await call(2);
    expect(second.offsets).to.deep.equal([2]);
    second.end.resolve("decided");
    expect(await outcomes).to.deep.equal(["abandoned", "decided"]);
  });

  it("that are lost before their turn are never begun", async () => {
    const { handle, calls } = createHandler();
    const merged = mergeBatches(handle, 100);
    expect(await merged(messages(1), () => false)).to.equal("abandoned");
    expect(calls).to.deep.equal([]);
  });

  it("all hear of a bug, and the next ones are decided", async () => {
    const { handle, call } = createHandler();
    const merged = mergeBatches(handle, 100);
    const bug = new Error("a bug");
    const outcomes = Promise.allSettled([merged(messages(1), MINE), merged(messages(2), MINE)]);
    (await call(1)).end.reject(bug);
    for (const outcome of await outcomes) expect(outcome).to.deep.equal({ status: "rejected", reason: bug });
    const next = merged(messages(3), MINE);
    (await call(2)).end.resolve("decided");
    expect(await next).to.equal("decided");
  });
});
