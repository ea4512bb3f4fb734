import { expect } from "chai";
import fc from "fast-check";
import { cases, timeFor } from "../testing/cases.ts";
import { sampleOrder } from "../testing/samples.ts";
import { parseOrderMessage } from "./order-message.ts";
import type { OrderMessage } from "./order.ts";

const withField = (name: string, value: unknown) => JSON.stringify({ ...sampleOrder(), [name]: value });
function without(name: keyof OrderMessage): string {
  const { [name]: _left, ...rest } = sampleOrder();
  return JSON.stringify(rest);
}

describe("an order message", () => {
  it("is read field by field", () => {
    expect(parseOrderMessage(JSON.stringify(sampleOrder()))).to.deep.equal({
      ok: true,
      order: sampleOrder(),
    });
  });

  it("loses fields that are not ours", () => {
    const value = JSON.stringify({ ...sampleOrder(), status: "SUCCESS", extra: { deep: [1] } });
    expect(parseOrderMessage(value)).to.deep.equal({ ok: true, order: sampleOrder() });
  });

  const unreadable: [string, string | null][] = [
    ["a null value", null],
    ["an empty value", ""],
    ["white space", "  "],
    ["text that is not JSON", "(too long)"],
    ["JSON cut short", JSON.stringify(sampleOrder()).slice(0, -1)],
    ["two JSON values", `${JSON.stringify(sampleOrder())}{}`],
    ["the JSON value null", "null"],
    ["a number", "5"],
    ["a text", '"order"'],
    ["an array", `[${JSON.stringify(sampleOrder())}]`],
    ["an empty object", "{}"],
    ["no order id", without("orderId")],
    ["an order id in upper case", withField("orderId", sampleOrder().orderId.toUpperCase())],
    ["an order id of a random version", withField("orderId", "019a0b6c-7b1e-4c3a-9f52-6d8a3c1e4b70")],
    ["a user id of zero", withField("userId", 0)],
    ["a user id as text", withField("userId", "1")],
    ["no user id", without("userId")],
    ["no product id", without("productId")],
    ["a negative product id", withField("productId", -1)],
    ["a product id beyond 2⁵³", withField("productId", 2 ** 53)],
  ];
  for (const [what, value] of unreadable) {
    it(`is refused, naming no order: ${what}`, () => {
      const parsed = parseOrderMessage(value);
      expect(parsed.ok).to.equal(false);
      expect(parsed).to.have.property("error").that.is.a("string").and.is.not.empty;
      expect(parsed).not.to.have.property("named");
    });
  }

  const named: [string, string][] = [
    ["an unknown version", withField("v", 2)],
    ["no version", without("v")],
    ["a version as text", withField("v", "1")],
    ["a quantity of zero", withField("quantity", 0)],
    ["a negative quantity", withField("quantity", -1)],
    ["a broken quantity", withField("quantity", 1.5)],
    ["a quantity above the highest limit", withField("quantity", 101)],
    ["no quantity", without("quantity")],
    ["a price of zero", withField("unitPrice", 0)],
    ["a negative price", withField("unitPrice", -99_000)],
    ["a price above the highest", withField("unitPrice", 1_000_000_000_001)],
    ["a price as text", withField("unitPrice", "99000")],
    ["a currency in lower case", withField("currency", "krw")],
    ["a currency with a line break behind", withField("currency", "KRW\n")],
    ["no currency", without("currency")],
    ["acceptedAt as text", withField("acceptedAt", "2027-01-01T09:00:00.000Z")],
    ["acceptedAt of zero", withField("acceptedAt", 0)],
    ["acceptedAt beyond the year 9999", withField("acceptedAt", 253_402_300_800_000)],
    ["no acceptedAt", without("acceptedAt")],
  ];
  const { orderId, userId, productId } = sampleOrder();
  for (const [what, value] of named) {
    it(`is refused, naming its order: ${what}`, () => {
      const parsed = parseOrderMessage(value);
      expect(parsed.ok).to.equal(false);
      expect(parsed).to.have.deep.property("named", { orderId, userId, productId });
    });
  }

  it("never throws, whatever a producer writes", function () {
    this.timeout(timeFor(10_000));
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: "binary" }), fc.json(), fc.json({ maxDepth: 1 })), (value) => {
        expect(parseOrderMessage(value).ok).to.equal(false);
      }),
      { numRuns: cases(1_000) },
    );
  });

  it("never takes a message for an order unless each field is in its range", function () {
    this.timeout(timeFor(10_000));
    const anything = fc.oneof(fc.jsonValue(), fc.integer(), fc.double());
    const broken = fc.record({
      name: fc.constantFrom(...(Object.keys(sampleOrder()) as (keyof OrderMessage)[])),
      value: anything,
    });
    fc.assert(
      fc.property(broken, ({ name, value }) => {
        const parsed = parseOrderMessage(withField(name, value));
        if (!parsed.ok) return;
        const { order } = parsed;
        expect([order.quantity, order.unitPrice, order.acceptedAt].every(Number.isSafeInteger)).to.equal(
          true,
        );
        expect(order.quantity).to.be.within(1, 100);
        expect(order.unitPrice).to.be.within(1, 1_000_000_000_000);
      }),
      { numRuns: cases(1_000) },
    );
  });

  it("does not let a field named __proto__ reach an object's prototype", () => {
    const text = JSON.stringify(sampleOrder()).replace("{", '{"__proto__":{"polluted":1},');
    parseOrderMessage(text);
    expect(({} as Record<string, unknown>)["polluted"]).to.equal(undefined);
  });
});
