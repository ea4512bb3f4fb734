import { expect } from "chai";
import type { PartitionMetadata } from "kafkajs";
import { byTurn } from "./partitioner.ts";

describe("the partition of a message", () => {
  const metadata = (leaders: readonly number[]): PartitionMetadata[] =>
    leaders.map((leader, partitionId) => ({
      ...{ partitionErrorCode: 0, partitionId, leader },
      ...{ replicas: [], isr: [] },
    }));
  const place = (leaders: readonly number[], message: { key: string; partition?: number }) =>
    byTurn()({ topic: "t", partitionMetadata: metadata(leaders), message: { value: null, ...message } });

  it("is the one whose turn it is", () => {
    const turns = [0, 1, 2, 3, 4, 5].map((partition) => place([1, 1, 1], { key: "a", partition }));
    expect(turns).to.deep.equal([0, 1, 2, 0, 1, 2]);
  });

  it("is one that has a leader, while there is one", () => {
    const turns = [0, 1, 2, 3].map((partition) => place([1, -1, 1], { key: "a", partition }));
    expect(turns).to.deep.equal([0, 2, 0, 2]);
    expect(place([-1, -1], { key: "a", partition: 1 })).to.equal(1);
  });

  it("is told by the key, always the same, where no turn is given", () => {
    const places = new Set([1, 2, 3].map(() => place([1, 1, 1, 1], { key: "one order" })));
    expect(places.size).to.equal(1);
  });
});
