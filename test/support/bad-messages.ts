import type { FailReason, OrderMessage } from "../../shared/domain/order.ts";
import type { SaleBody } from "./bodies.ts";

const MEGABYTE = 1_000_000;
const NEVER = 2_000_000_000;

export type Value = string | Buffer | null;

export interface BadKind {
  readonly what: string;
  readonly bend: (order: OrderMessage, sale: SaleBody) => Value;
  /** How its order fails; undefined: no order can be named, so none does. */
  readonly reason?: FailReason;
}

const changed =
  (fields: object): BadKind["bend"] =>
  (order) =>
    JSON.stringify({ ...order, ...fields });
const without =
  (field: keyof OrderMessage): BadKind["bend"] =>
  (order) =>
    JSON.stringify({ ...order, [field]: undefined });
const always =
  (value: Value): BadKind["bend"] =>
  () =>
    value;

export const UNNAMED: readonly BadKind[] = [
  { what: "no value", bend: always(null) },
  { what: "an empty value", bend: always("") },
  { what: "no JSON", bend: always("{ orderId: 1") },
  { what: "half a message", bend: (order) => JSON.stringify(order).slice(0, 60) },
  { what: "bytes that are no UTF-8", bend: always(Buffer.from([0xff, 0xfe, 0x00, 0xc3, 0x28])) },
  { what: "a number", bend: always("5") },
  { what: "null", bend: always("null") },
  { what: "a list", bend: (order) => JSON.stringify([order]) },
  { what: "a text", bend: always('"SELECT 1"') },
  { what: "ten thousand brackets", bend: always("[".repeat(2_000) + "]".repeat(2_000)) },
  { what: "a megabyte", bend: (order) => JSON.stringify({ ...order, note: "x".repeat(MEGABYTE) }) },
  { what: "no order id", bend: without("orderId") },
  { what: "an order id that is none", bend: changed({ orderId: "' OR 1=1 --" }) },
  { what: "an order id that is a number", bend: changed({ orderId: 7 }) },
  { what: "no user", bend: without("userId") },
  { what: "a user beyond what a number holds", bend: changed({ userId: 2 ** 60 }) },
  { what: "a product that is a text", bend: changed({ productId: "1" }) },
];

export const NAMED: readonly BadKind[] = [
  { what: "an unknown version", bend: changed({ v: 2 }), reason: "invalid_message" },
  { what: "no version", bend: without("v"), reason: "invalid_message" },
  { what: "quantity 0", bend: changed({ quantity: 0 }), reason: "invalid_message" },
  { what: "quantity −1", bend: changed({ quantity: -1 }), reason: "invalid_message" },
  { what: "quantity 1.5", bend: changed({ quantity: 1.5 }), reason: "invalid_message" },
  { what: "quantity as a text", bend: changed({ quantity: "1" }), reason: "invalid_message" },
  { what: "quantity out of range", bend: changed({ quantity: 101 }), reason: "invalid_message" },
  { what: "no price", bend: without("unitPrice"), reason: "invalid_message" },
  { what: "a price beyond the highest", bend: changed({ unitPrice: 10 ** 15 }), reason: "invalid_message" },
  { what: "a currency in small letters", bend: changed({ currency: "krw" }), reason: "invalid_message" },
  { what: "no instant", bend: changed({ acceptedAt: null }), reason: "invalid_message" },
  { what: "an instant as a text", bend: changed({ acceptedAt: "now" }), reason: "invalid_message" },
  {
    what: "an instant after the year 9999",
    bend: changed({ acceptedAt: 10 ** 15 }),
    reason: "invalid_message",
  },
  { what: "another price", bend: changed({ unitPrice: 1 }), reason: "price_mismatch" },
  { what: "another currency", bend: changed({ currency: "USD" }), reason: "price_mismatch" },
  { what: "an unknown user", bend: changed({ userId: NEVER }), reason: "unknown_user" },
  { what: "an unknown product", bend: changed({ productId: NEVER }), reason: "unknown_product" },
  {
    what: "a product above all of MySQL's ids",
    bend: changed({ productId: 2 ** 53 - 1 }),
    reason: "unknown_product",
  },
  {
    what: "an instant before the sale",
    bend: (order, sale) => JSON.stringify({ ...order, acceptedAt: Date.parse(sale.startTime) - 1 }),
    reason: "outside_window",
  },
  {
    what: "an instant at the sale's end",
    bend: (order, sale) => JSON.stringify({ ...order, acceptedAt: Date.parse(sale.endTime) }),
    reason: "outside_window",
  },
  { what: "more units than one buyer may have", bend: changed({ quantity: 2 }), reason: "limit_exceeded" },
];

export const bent = ({ bend }: BadKind, order: OrderMessage, sale: SaleBody): Value => bend(order, sale);
