import type { StockStore } from "../../shared/domain/ports.ts";
import type { Product } from "../../shared/domain/product.ts";
import type { FakeStockStore } from "../../shared/testing/stock-store.ts";
import { pagesOf } from "./redis.ts";
import { USERS, type Plant } from "./world.ts";

/** A simulation that could not find these would prove nothing. Each is one wrong thought, where it would stand. */
export const PLANTED_BUGS: Readonly<Record<string, Plant>> = {
  "units counted by reading them first and writing them back": {
    api: (ports) => {
      const { stock, script, redis, products } = ports;
      const reserve: StockStore["reserve"] = async (input) => {
        const seen = (await stock.left([input.productId])).get(input.productId);
        return await script("write back", async () => {
          const product = products.find(({ id }) => id === input.productId);
          if (product && seen !== undefined) await setLeft(redis.stock(), product, seen);
          return await redis.stock().reserve(input);
        });
      };
      return { ...ports, stock: { ...stock, reserve } };
    },
  },

  "a second reserve of one order that takes units again": {
    scripts: (products) => (stock) => ({
      reserve: async (input) => {
        const product = products.find(({ id }) => id === input.productId);
        const before = stock.leftOf(input.productId);
        const known = stock.reservedIn(input.productId).some(({ orderId }) => orderId === input.orderId);
        if (product && known && before !== undefined) await setLeft(stock, product, before - input.quantity);
        return await stock.reserve(input);
      },
    }),
  },

  "units given back when a produce failed or timed out": {
    api: (ports) => {
      const { stock, events } = ports;
      const publish: typeof events.publish = async (order, value) => {
        try {
          await events.publish(order, value);
        } catch (error) {
          await stock.settle([{ order, as: "FAILED" }]);
          throw error;
        }
      };
      return { ...ports, events: { ...events, publish } };
    },
  },

  "an end that Redis hears of after the database has it": {
    api: (ports) => {
      const { stock } = ports;
      const endEarly: StockStore["endEarly"] = async (product, wanted) =>
        wanted === "now" ? await stock.endEarly(product, wanted) : { outcome: "ends", endTime: wanted };
      return { ...ports, stock: { ...stock, endEarly } };
    },
  },

  "an offset committed before COMMIT": {
    handle: (handle) => async (messages, mine) => {
      void handle(messages, mine);
      return "decided";
    },
  },

  "units given back each time it is said": {
    scripts: (products) => (stock) => ({
      settle: async (orders) => {
        for (const { order, as } of orders) {
          const { orderId, productId, quantity } = order;
          const product = products.find(({ id }) => id === productId);
          const left = stock.leftOf(productId);
          const over = !stock.reservedIn(productId).some((one) => one.orderId === orderId);
          if (over && as === "FAILED" && product && left !== undefined && quantity !== undefined)
            await setLeft(stock, product, left + quantity);
        }
        await stock.settle(orders);
      },
    }),
  },

  "a missing counter taken for a full stock": {
    scripts: (products) => (stock) => ({
      reserve: async (input) => {
        const product = products.find(({ id }) => id === input.productId);
        if (product && stock.leftOf(product.id) === undefined)
          await stock.load({ product: { ...product, sold: 0 }, bought: pagesOf([]), epoch: 1 });
        return await stock.reserve(input);
      },
    }),
  },
};

/** Puts the counter where a right store would never have it; everything else stays. */
async function setLeft(stock: FakeStockStore, product: Product, left: number): Promise<void> {
  const { id } = product;
  const held = stock.reservedIn(id);
  const unitsOf = (userId?: number) =>
    held
      .filter((order) => userId === undefined || order.userId === userId)
      .reduce((sum, { quantity }) => sum + quantity, 0);
  const users = Array.from({ length: USERS }, (_, i) => i + 1);
  const bought = users.map((userId) => ({ userId, quantity: stock.boughtBy(id, userId) - unitsOf(userId) }));
  const epoch = (await stock.counters([id])).get(id)?.epoch ?? 1;
  stock.loseCounters(id);
  // The loader counts what reservations hold as taken.
  const full = { ...product, stock: left + unitsOf(), sold: 0 };
  await stock.load({ product: full, bought: pagesOf([bought]), epoch });
}
