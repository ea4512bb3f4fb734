import type { Mutant } from "./mutant.ts";

const RESERVE = "shared/redis/scripts/reserve.lua";
/** The same tests for all four: one run of them unmutated. */
const SCRIPTS = { specs: ["test/redis-scripts.test.ts"], grep: "^(reserve|settle) " };

export const REDIS_MUTANTS: readonly Mutant[] = [
  {
    id: "M1",
    title: "read, then decrement, instead of one script",
    edits: [
      {
        file: RESERVE,
        find: `redis.call("HSET", KEYS[1], "left", string.format("%d", left - sum),\n    "held"`,
        replace: `redis.call("HSET", KEYS[1], "held"`,
      },
      {
        file: "shared/redis/stock-store.ts",
        find: `    const [outcome = "", facts] = await reserving(`,
        replace: `    const known = await client.hexists(keys.reservations(productId), orderId);
    const [outcome = "", facts] = await reserving(`,
      },
      {
        file: "shared/redis/stock-store.ts",
        find: `    if (outcome === "reserved" && facts) return`,
        replace: `    if (outcome === "reserved" && !known) {
      const left = Number(await client.hget(keys.stock(productId), "left"));
      await client.hset(keys.stock(productId), "left", left - wish.quantity);
    }
    if (outcome === "reserved" && facts) return`,
      },
    ],
    ...SCRIPTS,
  },
  {
    id: "M2",
    title: "a reservation that is not idempotent by order id",
    edits: [
      { file: RESERVE, find: `  if reservation then return "reserved", reservation end\n`, replace: "" },
    ],
    ...SCRIPTS,
  },
  {
    id: "M12",
    title: "a give-back that is not idempotent",
    edits: [
      {
        file: "shared/redis/scripts/settle.lua",
        find: `local reservation = reservations[i]`,
        replace: `local reservation = reservations[i] or (facts ~= "" and facts)`,
      },
    ],
    ...SCRIPTS,
  },
  {
    id: "M14",
    title: "a missing counter taken for full stock",
    edits: [
      {
        file: RESERVE,
        find: `if not stock[1] then\n  shut = "not_loaded"`,
        replace: `if not stock[1] then\n  stock = { "1000", "0", "99999999999999", "9", "1", "KRW", "0", "99999999999999" }`,
      },
    ],
    ...SCRIPTS,
  },
];
