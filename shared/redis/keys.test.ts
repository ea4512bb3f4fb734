import { expect } from "chai";
import { newOrderIds } from "../testing/samples.ts";
import { keys, tombstoneBucket } from "./keys.ts";

/** What Redis Cluster hashes (cluster specification, "Hash tags"). */
const tagOf = (key: string) => /\{([^}]+)\}/.exec(key)?.[1] ?? key;

describe("the keys of one script", () => {
  const ofProduct = [
    keys.stock(7),
    keys.reservations(7),
    keys.unpublished(7),
    keys.bought(7),
    keys.boughtStaged(7, "token"),
    keys.decided(7, "o1"),
  ];

  it("of a product share their slot", () => {
    expect(new Set(ofProduct.map(tagOf))).to.deep.equal(new Set(["p:7"]));
    expect(new Set(ofProduct).size).to.equal(ofProduct.length);
  });

  it("of a user share their slot, whatever the Idempotency-Key", () => {
    const ofUser = [keys.idempotency(7, "a-key_16_letters"), keys.pending(7), keys.orderLock(7, 3)];
    expect(new Set(ofUser.map(tagOf))).to.deep.equal(new Set(["u:7"]));
  });

  it("of a user and a product with the same number are others", () => {
    expect(tagOf(keys.stock(7))).not.to.equal(tagOf(keys.pending(7)));
  });
});

describe("the bucket of an order's tombstone", () => {
  const [unkeyed = "", keyed = ""] = newOrderIds;

  it("is told by the id alone, so that reserve and settle look in the same one", () => {
    expect(tombstoneBucket(unkeyed)).to.deep.equal(tombstoneBucket(unkeyed));
  });

  it("is another one for keyed orders, and is kept longer than a key can come back", () => {
    expect(tombstoneBucket(keyed).bucket).not.to.equal(tombstoneBucket(unkeyed).bucket);
    expect(tombstoneBucket(keyed).keptMs).to.be.above(24 * 3_600_000);
    expect(tombstoneBucket(unkeyed).keptMs).to.be.within(60_000, 3_600_000);
  });

  it("is shared by the ids of ten minutes, not by those of the next", () => {
    const at = (ms: number) => {
      const stamp = ms.toString(16).padStart(12, "0");
      return tombstoneBucket(`${stamp.slice(0, 8)}-${stamp.slice(8)}-7000-8000-000000000000`).bucket;
    };
    expect(at(600_000)).to.equal(at(1_199_999));
    expect(at(1_200_000)).not.to.equal(at(1_199_999));
  });
});
