import { expect } from "chai";
import { isOrderId } from "../../shared/domain/order.ts";
import { derivedOrderId, newOrderId } from "./order-id.ts";

const NOON = Date.UTC(2027, 0, 1, 12);
const KEY = "0123456789abcdef";
const REQUEST = "1:1";
const stampOf = (id: string) => Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16);

describe("an order id without a key", () => {
  it("is new at every call, of version 7, and carries the time", () => {
    const before = Date.now();
    const ids = Array.from({ length: 1_000 }, newOrderId);
    expect(new Set(ids).size).to.equal(1_000);
    expect(ids.every((id) => isOrderId(id) && id[14] === "7")).to.equal(true);
    expect(stampOf(ids[0] ?? "")).to.be.within(before, Date.now());
  });
});

describe("an order id derived from a key", () => {
  it("never changes from one release to the next: attempts under one key may meet different ones", () => {
    expect(derivedOrderId(1, KEY, REQUEST, NOON)).to.equal(derivedOrderId(1, KEY, REQUEST, NOON));
    expect(derivedOrderId(1, KEY, REQUEST, NOON)).to.equal("01a2ce8b-d400-835e-a8e4-3886e7fffedc");
  });

  it("is of version 8 and carries the start of its UTC day", () => {
    const id = derivedOrderId(1, KEY, REQUEST, NOON);
    expect(isOrderId(id) && id[14] === "8").to.equal(true);
    expect(stampOf(id)).to.equal(Date.UTC(2027, 0, 1));
  });

  it("is the same for the whole UTC day and another one the next day", () => {
    const first = derivedOrderId(1, KEY, REQUEST, Date.UTC(2027, 0, 1));
    expect(derivedOrderId(1, KEY, REQUEST, Date.UTC(2027, 0, 2) - 1)).to.equal(first);
    expect(derivedOrderId(1, KEY, REQUEST, Date.UTC(2027, 0, 2))).not.to.equal(first);
  });

  it("differs by user, key and request, also where both together read the same", () => {
    const ids = [
      derivedOrderId(1, KEY, REQUEST, NOON),
      derivedOrderId(2, KEY, REQUEST, NOON),
      derivedOrderId(1, `${KEY}0`, REQUEST, NOON),
    ];
    ids.push(derivedOrderId(1, KEY, "2:1", NOON));
    ids.push(derivedOrderId(11, `2${KEY}`, REQUEST, NOON), derivedOrderId(1, `12${KEY}`, REQUEST, NOON));
    expect(new Set(ids).size).to.equal(ids.length);
  });
});
