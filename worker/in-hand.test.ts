import { expect } from "chai";
import { createFakeClock } from "../shared/testing/clock.ts";
import { rawMessage, SALE_START } from "../shared/testing/samples.ts";
import { createInHand } from "./in-hand.ts";

describe("the batches in hand", () => {
  it("tell the age of the oldest message, over partitions, until it is decided", async () => {
    const clock = createFakeClock(SALE_START + 10_000);
    const inHand = createInHand(clock.now);
    const ends: (() => void)[] = [];
    const held = () => new Promise<void>((resolve) => ends.push(resolve));
    const young = inHand.while(0, [rawMessage(6_000, "x")], held);
    const old = inHand.while(1, [rawMessage(1_000, "x"), rawMessage(9_000, "x")], held);
    expect(inHand.oldestAgeS()).to.equal(9);
    ends[1]?.();
    await old;
    expect(inHand.oldestAgeS()).to.equal(4);
    ends[0]?.();
    await young;
    expect(inHand.oldestAgeS()).to.equal(0);
  });

  it("forget a batch that failed, and hand on what came of one that did not", async () => {
    const inHand = createInHand(createFakeClock().now);
    expect(await inHand.while(0, [rawMessage(1, "x")], async () => "decided")).to.equal("decided");
    await inHand
      .while(0, [rawMessage(1, "x")], () => Promise.reject(new Error("away")))
      .catch(() => undefined);
    expect(inHand.oldestAgeS()).to.equal(0);
  });

  it("are never younger than nothing: a producer's clock may run ahead", async () => {
    const inHand = createInHand(() => SALE_START - 5_000);
    await inHand.while(0, [rawMessage(1, "x")], async () => {
      expect(inHand.oldestAgeS()).to.equal(0);
    });
  });
});
