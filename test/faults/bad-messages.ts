import type { Message } from "kafkajs";
import { v7 as uuidv7 } from "uuid";
import type { OrderMessage } from "../../shared/domain/order.ts";
import { createStockStore } from "../../shared/redis/stock-store.ts";
import { bent, type BadKind } from "../support/bad-messages.ts";
import { until } from "../support/until.ts";
import type { World } from "./world.ts";

const RESERVED_DEADLINE_MS = 15_000;

/**
 * A bad message of this kind as a wrong producer would send it. One that names its order holds a unit, taken as the API takes
 * it; the row that comes of it is nobody's surprise.
 */
export async function badMessage(world: World, kind: BadKind): Promise<Message> {
  const [buyer] = await world.users(1);
  if (!buyer) throw new Error("no buyer was seeded");
  const input = { orderId: uuidv7(), userId: buyer.id, productId: world.sale.id, quantity: 1 };
  const order = kind.reason ? await reserve(world, input) : bare(input);
  const value = bent(kind, order, world.sale);
  const at = Date.now();
  const named =
    typeof value === "string" && kind.reason ? (JSON.parse(value) as OrderMessage).userId : buyer.id;
  for (const userId of new Set([buyer.id, named]))
    world.history.add({
      ...{ kind: "info", code: "sent by hand", userId, productId: world.sale.id, quantity: 1 },
      ...{ sentAt: at, at },
    });
  return { key: order.orderId, value };
}

const bare = (input: Pick<OrderMessage, "orderId" | "userId" | "productId" | "quantity">): OrderMessage => ({
  ...input,
  ...{ v: 1, unitPrice: 1, currency: "KRW", acceptedAt: Date.now() },
});

async function reserve(
  world: World,
  input: Parameters<ReturnType<typeof createStockStore>["reserve"]>[0],
): Promise<OrderMessage> {
  const stock = createStockStore(world.redis);
  const order = await until(
    "a unit is reserved",
    async () => {
      const reserved = await stock.reserve(input);
      return reserved.outcome === "reserved" && reserved.order;
    },
    RESERVED_DEADLINE_MS,
  );
  await stock.markPublished([input]);
  return order;
}
