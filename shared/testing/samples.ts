import type { OrderMessage } from "../domain/order.ts";
import type { RawMessage } from "../domain/ports.ts";
import type { Product } from "../domain/product.ts";
import type { Credentials } from "../domain/user.ts";
import { TOPICS } from "../kafka/topics.ts";

/** 2027-01-01T09:00:00.000Z: when the sample sale opens; where the fake clock starts. */
export const SALE_START = Date.UTC(2027, 0, 1, 9);

export function sampleProduct(changes: Partial<Product> = {}): Product {
  return {
    id: 1,
    title: "Winter concert, standing",
    price: 99_000,
    currency: "KRW",
    stock: 10,
    sold: 0,
    startTime: SALE_START,
    endTime: SALE_START + 24 * 3_600_000,
    perUserLimit: 1,
    createdAt: SALE_START - 3_600_000,
    ...changes,
  };
}

/** A valid order id of version 7 that is the same for the same number. */
export function orderIdOf(n: number): string {
  const stamp = (SALE_START + n).toString(16).padStart(12, "0");
  return `${stamp.slice(0, 8)}-${stamp.slice(8)}-7000-8000-${n.toString(16).padStart(12, "0")}`;
}

export function sampleOrder(changes: Partial<OrderMessage> = {}): OrderMessage {
  return {
    v: 1,
    orderId: orderIdOf(1),
    userId: 1,
    productId: 1,
    quantity: 1,
    unitPrice: 99_000,
    currency: "KRW",
    acceptedAt: SALE_START,
    ...changes,
  };
}

export function sampleUser(id: number, changes: Partial<Credentials> = {}): Credentials {
  return {
    id,
    username: `user${id}`,
    email: `user${id}@example.com`,
    role: "user",
    createdAt: SALE_START - 7_200_000,
    passwordHash: `hash of password${id}`,
    ...changes,
  };
}

/** A message as the consumer hands it over; `value` as text, or anything that JSON can say. */
export function rawMessage(offset: number, value: unknown, partition = 0): RawMessage {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return {
    topic: TOPICS.orders,
    partition,
    offset: String(offset),
    timestamp: SALE_START + offset,
    key: null,
    value: value === null ? null : Buffer.from(text),
  };
}

/** One id of each version that orders have. */
export const newOrderIds = ["019a0b6c-7b1e-7c3a-9f52-6d8a3c1e4b70", "019a0b6c-7b1e-8c3a-bf52-6d8a3c1e4b70"];
