import type { OrderMessage } from "../domain/order.ts";

/**
 * An order's facts as Redis keeps them: `user|quantity|price|currency|accepted (epoch ms)`. The order's id and its product
 * stand in the key and the field; said again, with names, they would take six times the memory. reserve.lua writes the same.
 */
export function packOrder(order: Omit<OrderMessage, "v" | "orderId" | "productId">): string {
  const { userId, quantity, unitPrice, currency, acceptedAt } = order;
  return `${userId}|${quantity}|${unitPrice}|${currency}|${acceptedAt}`;
}

/**
 * Fields in the order of contract §4: as JSON, this is the message.
 * @throws Error when Redis holds something else
 */
export function unpackOrder(orderId: string, productId: number, packed: string): OrderMessage {
  const [userId = "", quantity = "", unitPrice = "", currency, acceptedAt, rest] = packed.split("|");
  if (!currency || !acceptedAt || rest !== undefined)
    throw new Error(`Redis holds facts of order ${orderId} that cannot be read`);
  return {
    v: 1,
    orderId,
    userId: Number(userId),
    productId,
    quantity: Number(quantity),
    unitPrice: Number(unitPrice),
    currency,
    acceptedAt: Number(acceptedAt),
  };
}
