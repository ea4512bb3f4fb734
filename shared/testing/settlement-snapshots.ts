import type { SettlementSnapshots } from "../domain/ports.ts";
import type { Product } from "../domain/product.ts";
import { createTally, type DailyTotal } from "../domain/report.ts";
import type { Settlement, SettlementFilter, Total } from "../domain/settlement.ts";

export const matches = (
  { userId, productId, from, to }: SettlementFilter,
  row: Pick<Settlement, "userId" | "productId" | "settledAt">,
): boolean =>
  (userId === undefined || row.userId === userId) &&
  (productId === undefined || row.productId === productId) &&
  (from === undefined || row.settledAt >= from) &&
  (to === undefined || row.settledAt < to);

/** Copies of the fake database's tables as they are when a snapshot is opened; two rows a read. */
export function createFakeSettlementSnapshots({
  settlements,
  totals,
  products,
}: {
  readonly settlements: ReadonlyMap<string, Settlement>;
  readonly totals: ReadonlyMap<string, Total>;
  readonly products: ReadonlyMap<number, Product>;
}) {
  /** Ids of rows that are not read, although they are added up. */
  const rowsLost = new Set<number>();
  let open = 0;
  /** Runs before each read of rows but the first. */
  const hooks: { beforeRead?: () => void } = {};

  const snapshots: SettlementSnapshots = {
    async open(signal) {
      signal.throwIfAborted();
      open += 1;
      const rows = [...settlements.values()].sort((a, b) => a.id - b.id);
      const running = new Map(totals);
      const under = (filter: SettlementFilter) => rows.filter((row) => matches(filter, row));
      return {
        async extent(filter) {
          signal.throwIfAborted();
          const tally = createTally();
          for (const row of under(filter)) tally.add(row);
          return tally.extent();
        },
        async runningTotals({ userId, productId, from, to }) {
          signal.throwIfAborted();
          if (from !== undefined || to !== undefined || (userId !== undefined && productId !== undefined))
            return null;
          const scope = userId === undefined ? "product" : "user";
          const prefix = `${scope}:${userId ?? productId ?? ""}`;
          const found = [...running].filter(([key]) => key.startsWith(prefix));
          return sumOf(found.map(([, total]) => total));
        },
        async *rows(filter) {
          const wanted = under(filter);
          for (let i = 0; i < wanted.length; i += 2) {
            if (i > 0) hooks.beforeRead?.();
            signal.throwIfAborted();
            yield wanted.slice(i, i + 2).filter(({ id }) => !rowsLost.has(id));
          }
        },
        async daily({ filter, starts }) {
          signal.throwIfAborted();
          const days = new Map<string, DailyTotal>();
          for (const row of under(filter)) {
            const day = starts.findLast(({ from }) => from <= row.settledAt)?.day ?? "";
            const { productId, currency } = row;
            const key = `${day} ${productId} ${currency}`;
            const before = days.get(key) ?? { count: 0, amount: 0 };
            const title = products.get(productId)?.title ?? "";
            const { count, amount } = { count: before.count + 1, amount: before.amount + row.amount };
            days.set(key, { day, productId, title, currency, count, amount });
          }
          return [...days.values()];
        },
        async close() {
          open -= 1;
        },
      };
    },
  };
  return { ...snapshots, hooks, rowsLost, isOpen: () => open };
}

function sumOf(totals: readonly Total[]): Total[] {
  const sums = new Map<string, Total>();
  for (const { currency, count, amount } of totals) {
    const before = sums.get(currency) ?? { currency, count: 0, amount: 0 };
    sums.set(currency, { currency, count: before.count + count, amount: before.amount + amount });
  }
  return [...sums.values()];
}
