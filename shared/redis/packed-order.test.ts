import { expect } from "chai";
import { orderIdOf, sampleOrder } from "../testing/samples.ts";
import { packOrder, unpackOrder } from "./packed-order.ts";

describe("an order's facts in Redis", () => {
  it("come back as the message, letter by letter, also with a price of 10¹² and ids beyond 2³²", () => {
    const order = sampleOrder({ userId: 2 ** 50 + 1, unitPrice: 1_000_000_000_000 });
    const { orderId, productId } = order;
    const again = unpackOrder(orderId, productId, packOrder(order));
    expect(again).to.deep.equal(order);
    expect(Object.keys(again)).to.deep.equal(
      "v orderId userId productId quantity unitPrice currency acceptedAt".split(" "),
    );
  });

  it("take less than 64 bytes, the most that a compact hash holds", () => {
    const most = {
      userId: 2 ** 53 - 1,
      quantity: 100,
      unitPrice: 10 ** 12,
      currency: "KRW",
      acceptedAt: 10 ** 13,
    };
    expect(packOrder(most)).to.have.length.below(64);
  });

  for (const broken of ["", "1|2|3", "1|2|3|KRW|4|5", '{"v":1}']) {
    it(`that are ${JSON.stringify(broken)} are refused`, () => {
      expect(() => unpackOrder(orderIdOf(1), 7, broken)).to.throw("cannot be read");
    });
  }
});
