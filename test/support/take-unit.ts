import type { Redis } from "ioredis";
import { v7 as uuidv7 } from "uuid";
import type { Reserved } from "../../shared/domain/ports.ts";
import { createStockStore } from "../../shared/redis/stock-store.ts";

/** Takes a unit as the API does, and leaves the message to the test. */
export async function takeUnit(redis: Redis, productId: number, userId: number): Promise<Reserved> {
  const stock = createStockStore(redis);
  const input = { orderId: uuidv7(), userId, productId, quantity: 1 };
  // As the gate before it does, whenever nobody has vouched for the counters lately.
  await stock.confirm(productId, 0);
  const reserved = await stock.reserve(input);
  if (reserved.outcome !== "reserved") throw new Error(`not reserved: ${reserved.outcome}`);
  await stock.markPublished([input]);
  return reserved;
}
