import { expect } from "chai";
import type { Admin } from "kafkajs";
import { createBacklogWatch } from "./backlog-watch.ts";

function watch(partitions: readonly { low: string; high: string; committed: string }[]) {
  const admin = {
    fetchTopicOffsets: async () =>
      partitions.map(({ low, high }, partition) => ({ partition, offset: high, low, high })),
    fetchOffsets: async () => [
      {
        topic: "t",
        partitions: partitions.map(({ committed }, partition) => ({
          partition,
          offset: committed,
          metadata: null,
        })),
      },
    ],
  };
  return createBacklogWatch(admin as unknown as Admin);
}

describe("the backlog", () => {
  it("is reached when the group has committed each partition's end", async () => {
    const ends = new Map([
      [0, 5n],
      [1, 7n],
    ]);
    const behind = watch([
      { low: "0", high: "9", committed: "5" },
      { low: "0", high: "9", committed: "6" },
    ]);
    const done = watch([
      { low: "0", high: "9", committed: "9" },
      { low: "0", high: "9", committed: "7" },
    ]);
    expect([await behind.hasReached(ends), await done.hasReached(ends)]).to.deep.equal([false, true]);
  });

  it("of a partition that nothing was committed in is not reached while it holds a message", async () => {
    const untouched = watch([{ low: "0", high: "3", committed: "-1" }]);
    expect(await untouched.hasReached(await untouched.endOffsets())).to.equal(false);
    expect(await untouched.lag()).to.equal(3n);
  });

  it("of an empty partition is reached", async () => {
    for (const empty of [
      watch([{ low: "0", high: "0", committed: "-1" }]),
      watch([{ low: "8", high: "8", committed: "-1" }]),
    ]) {
      expect(await empty.hasReached(await empty.endOffsets())).to.equal(true);
      expect(await empty.lag()).to.equal(0n);
    }
  });

  it("is exact beyond 2⁵³", async () => {
    const far = watch([{ low: "0", high: "9007199254740995", committed: "9007199254740994" }]);
    expect(await far.lag()).to.equal(1n);
    expect(await far.hasReached(new Map([[0, 9_007_199_254_740_995n]]))).to.equal(false);
  });
});
