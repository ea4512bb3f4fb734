import fc from "fast-check";
import type { OrderMessage } from "../../shared/domain/order.ts";

/** No account has such an id: what stays readable is FAILED, and no unit moves. */
const NOBODY = 2_000_000_000;
const FIELDS = [
  "v",
  "orderId",
  "userId",
  "productId",
  "quantity",
  "unitPrice",
  "currency",
  "acceptedAt",
] as const;
const VALUE_BYTES_MAX = 4_000;

const anyValue = fc.oneof(
  fc.jsonValue(),
  fc.constantFrom<unknown>(null, "", 0, -1, 1.5, 2 ** 53, 1e308, [], {}, "1", true),
  fc.bigInt().map(Number),
);

/** Random bytes, and messages of an order with fields changed, gone, added, or cut off in the middle. */
export function fuzzedMessages(order: Omit<OrderMessage, "orderId" | "userId">): fc.Arbitrary<Buffer | null> {
  const changes = fc.array(fc.tuple(fc.constantFrom(...FIELDS, "more", "__proto__"), anyValue), {
    minLength: 1,
    maxLength: 4,
  });
  const bent = fc
    .record({ changes, gone: fc.subarray([...FIELDS], { maxLength: 2 }), id: fc.uuid({ version: 7 }) })
    .map(({ changes: changed, gone, id }) => {
      const whole = { ...order, orderId: id, userId: NOBODY };
      const fields = new Map<string, unknown>([...Object.entries(whole), ...changed]);
      for (const name of gone) fields.delete(name);
      // Whatever was drawn: it is an order of nobody who could have it.
      if (typeof fields.get("userId") === "number") fields.set("userId", NOBODY);
      return `{${[...fields].map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`).join(",")}}`;
    });
  const bytes = fc.uint8Array({ maxLength: VALUE_BYTES_MAX }).map((drawn) => Buffer.from(drawn));
  return fc.oneof(
    { weight: 6, arbitrary: bent.map((text) => Buffer.from(text)) },
    bent.chain((text) => fc.nat(text.length).map((length) => Buffer.from(text.slice(0, length)))),
    fc.json().map((text) => Buffer.from(text)),
    bytes,
    fc.constant(null),
  );
}
