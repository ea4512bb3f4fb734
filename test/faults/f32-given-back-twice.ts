import { randomUUID } from "node:crypto";
import type { OrderMessage } from "../../shared/domain/order.ts";
import { connectRedis } from "../../shared/redis/client.ts";
import { createStockStore } from "../../shared/redis/stock-store.ts";
import { newOrderId } from "../../api/services/order-id.ts";
import { sampleProduct } from "../../shared/testing/samples.ts";
import { inParallel } from "../support/http-client.ts";
import { until } from "../support/until.ts";
import type { WorldFailure } from "./failure.ts";
import type { World } from "./world.ts";

const ORDERS = 1_000;
const GIVERS = 50;
const AT_ONCE = 32;
const GIVEN_DEADLINE_MS = 60_000;
const HOUR_MS = 3_600_000;
/** Of no row in the database: no worker looks after it. */
const BEYOND_ALL = 1_000_000_000;

/** Sweeper, worker and client give the same units back: each unit comes back once. */
export const f32: WorldFailure = {
  id: "F32",
  title: "the same orders given back fifty times",
  world: { apis: 1, workers: 1 },
  async run(world, { orders }) {
    const [misses] = await Promise.all([
      giveBackOften(world),
      world.shop.begin({ buyers: await world.users(orders) }).done,
    ]);
    return { figures: { "given back": ORDERS, "times each": GIVERS }, misses };
  },
};

async function giveBackOften({ servers }: World): Promise<string[]> {
  const client = await connectRedis({
    url: servers.redis.url,
    name: `f32-${randomUUID()}`,
    onError: () => undefined,
  });
  try {
    const store = createStockStore(client);
    const productId = BEYOND_ALL;
    const now = Date.now();
    const product = sampleProduct({
      ...{ id: productId, stock: ORDERS, perUserLimit: 10 },
      ...{ startTime: now - HOUR_MS, endTime: now + HOUR_MS },
    });
    await store.load({ product, epoch: 1, bought: nobody() });
    await store.confirm(productId, 0);
    const left = async () => (await store.left([productId])).get(productId) ?? NaN;
    const userIds = Array.from({ length: ORDERS }, (_, i) => i + 1);
    const reserved = await inParallel(userIds, AT_ONCE, async (userId) => {
      await store.confirm(productId, 0);
      const taken = await store.reserve({ orderId: newOrderId(), userId, productId, quantity: 1 });
      if (taken.outcome !== "reserved") throw new Error(`reserve: ${taken.outcome}`);
      return taken.order;
    });
    const before = await left();
    const seen = new Set<number>();
    await Promise.all(
      Array.from({ length: GIVERS }, async (_, giver) => {
        const all = rotated(reserved, giver).map((order) => ({ order, as: "FAILED" as const }));
        // Fifty at once are more than Redis answers in time: who hears nothing gives back again.
        await until(`giver ${giver} is done`, () => store.settle(all).then(() => true), GIVEN_DEADLINE_MS);
        seen.add(await left());
      }),
    );
    const after = await left();
    const most = Math.max(after, ...seen);
    const counters = (await store.counters([productId])).get(productId);
    await client.del(...(await client.keys(`{p:${productId}}*`)));
    return [
      ...(before === 0 ? [] : [`${before} were left when all were reserved`]),
      ...(after === ORDERS ? [] : [`${after} are left instead of ${ORDERS}`]),
      ...(most <= ORDERS ? [] : [`at one time ${most} of ${ORDERS} were left`]),
      ...(counters?.held === 0 ? [] : [`${counters?.held ?? "no"} units are held by nobody`]),
    ];
  } finally {
    client.disconnect();
  }
}

async function* nobody(): AsyncGenerator<never> {
  // nobody has bought yet
}

function rotated(orders: readonly OrderMessage[], by: number): OrderMessage[] {
  const at = (by * orders.length) / GIVERS;
  return [...orders.slice(at), ...orders.slice(0, at)];
}
