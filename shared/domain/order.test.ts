import { expect } from "chai";
import fc from "fast-check";
import { cases, timeFor } from "../testing/cases.ts";
import { newOrderIds } from "../testing/samples.ts";
import { sampleOrder } from "../testing/samples.ts";
import { isOrderId, isTerminal, mayFollow, ORDER_STATUSES, samePayload, type OrderStatus } from "./order.ts";

describe("the life of an order", () => {
  const allowed = new Set(["PENDING>SUCCESS", "PENDING>FAILED"]);
  for (const from of ORDER_STATUSES) {
    for (const to of ORDER_STATUSES) {
      const step = `${from}>${to}`;
      it(`${allowed.has(step) ? "allows" : "refuses"} ${from} to ${to}`, () => {
        expect(mayFollow(from, to)).to.equal(allowed.has(step));
      });
    }
  }

  it("has no way out of its end, and none back to PENDING, by any path", function () {
    this.timeout(timeFor(10_000));
    const path = fc.array(fc.constantFrom(...ORDER_STATUSES), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(path, (wished) => {
        let status: OrderStatus = "PENDING";
        let changes = 0;
        for (const to of wished) {
          if (!mayFollow(status, to)) continue;
          expect(isTerminal(status)).to.equal(false);
          expect(to).to.not.equal("PENDING");
          status = to;
          changes += 1;
        }
        expect(changes).to.equal(wished.some((to) => to !== "PENDING") ? 1 : 0);
      }),
      { numRuns: cases(1_000) },
    );
  });

  it("ends with SUCCESS or FAILED", () => {
    expect(ORDER_STATUSES.filter(isTerminal)).to.deep.equal(["SUCCESS", "FAILED"]);
  });
});

describe("an order id", () => {
  it("is a lower-case UUID of version 7 or 8", () => {
    for (const id of newOrderIds) expect(isOrderId(id), id).to.equal(true);
  });

  const others: [string, unknown][] = [
    ["upper case", "019A0B6C-7B1E-7C3A-9F52-6D8A3C1E4B70"],
    ["version 4", "019a0b6c-7b1e-4c3a-9f52-6d8a3c1e4b70"],
    ["a wrong variant", "019a0b6c-7b1e-7c3a-cf52-6d8a3c1e4b70"],
    ["no dashes", "019a0b6c7b1e7c3a9f526d8a3c1e4b70"],
    ["a line break behind it", "019a0b6c-7b1e-7c3a-9f52-6d8a3c1e4b70\n"],
    ["braces", "{019a0b6c-7b1e-7c3a-9f52-6d8a3c1e4b70}"],
    ["a number", 7],
    ["null", null],
    ["an array of one", ["019a0b6c-7b1e-7c3a-9f52-6d8a3c1e4b70"]],
  ];
  for (const [what, value] of others) {
    it(`is not ${what}`, () => {
      expect(isOrderId(value)).to.equal(false);
    });
  }
});

describe("the payload of an order", () => {
  it("is the same when every fact is", () => {
    expect(samePayload(sampleOrder(), { ...sampleOrder() })).to.equal(true);
  });

  const { v: _v, ...facts } = sampleOrder();
  for (const [name, value] of Object.entries(facts)) {
    it(`is another one when ${name} differs`, () => {
      const other = { ...sampleOrder(), [name]: typeof value === "number" ? value + 1 : `${value}x` };
      expect(samePayload(sampleOrder(), other)).to.equal(false);
      expect(samePayload(other, sampleOrder())).to.equal(false);
    });
  }
});
