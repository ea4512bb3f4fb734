import { placeOf } from "../domain/dead-letter.ts";
import { boughtKey, type Decision, type KnownOrder } from "../domain/decide.ts";
import { DomainError } from "../domain/errors.ts";
import type { FailReason } from "../domain/order.ts";
import { toPage } from "../domain/page.ts";
import type {
  DeadLetter,
  DecisionStore,
  DecisionWriter,
  OrderReader,
  ProductRepository,
  SettlementReader,
  UserRepository,
} from "../domain/ports.ts";
import type { Product } from "../domain/product.ts";
import { createTally } from "../domain/report.ts";
import type { OrderView, Settlement, SettlementFilter, Total } from "../domain/settlement.ts";
import type { Credentials } from "../domain/user.ts";
import { createFaults } from "./faults.ts";
import { createFakeSettlementSnapshots, matches } from "./settlement-snapshots.ts";

export interface OrderRow extends KnownOrder {
  readonly failReason: FailReason | null;
  readonly decidedAt: number;
}

export interface Tables {
  readonly users: Map<number, Credentials>;
  readonly products: Map<number, Product>;
  readonly orders: Map<string, OrderRow>;
  readonly history: Map<string, { readonly from: string; readonly to: string }[]>;
  readonly settlements: Map<string, Settlement>;
  readonly totals: Map<string, Total>;
  readonly letters: Map<string, DeadLetter>;
  readonly lettersParkedAt: Map<string, number>;
}

type Operation =
  keyof DecisionWriter | "commit" | "afterCommit" | "decided" | "findById" | "findDecided" | "insert";

/** MySQL, as far as the ports go: tables in maps, one transaction at a time, rolled back when its callback throws. */
export function createFakeDatabase(now: () => number) {
  const tables: Tables = {
    users: new Map(),
    products: new Map(),
    orders: new Map(),
    history: new Map(),
    settlements: new Map(),
    totals: new Map(),
    letters: new Map(),
    lettersParkedAt: new Map(),
  };
  const faults = createFaults<Operation>();
  /** Calls of the writer and the ends of its transactions, in order. */
  const calls: string[] = [];
  /** An order that the database refuses to store, whatever the reason. */
  const refused = new Set<string>();
  const writer = createWriter(tables, { faults, calls, refused });
  let queue: Promise<unknown> = Promise.resolve();

  const store: DecisionStore = {
    transaction(work) {
      const run = queue.then(async () => {
        const before = snapshot(tables);
        try {
          const result = await work(writer);
          faults.check("commit");
          calls.push("commit");
          return result;
        } catch (error) {
          restore(tables, before);
          calls.push("rollback");
          throw error;
        }
      });
      queue = run.catch(() => undefined);
      return run.then((result) => {
        // The connection broke on COMMIT's reply: stored, and not known to be.
        faults.check("afterCommit");
        return result;
      });
    },
    decided: async (ids) => {
      faults.check("decided");
      return new Map(ids.flatMap((id) => toEntry(id, tables.orders.get(id))));
    },
    whileLocked: (productId, work) =>
      store.transaction(async ({ lockProducts }) => {
        const product = (await lockProducts([productId])).get(productId);
        return product ? await work(product) : null;
      }),
    async *boughtByProduct(productId) {
      const units = new Map<number, number>();
      for (const row of tables.orders.values())
        if (row.productId === productId && row.status === "SUCCESS")
          units.set(row.userId, (units.get(row.userId) ?? 0) + row.quantity);
      yield [...units].map(([userId, quantity]) => ({ userId, quantity }));
    },
    deadLetterCount: async () => tables.letters.size,
    oldestDeadLetterAt: async () =>
      tables.lettersParkedAt.size === 0 ? null : Math.min(...tables.lettersParkedAt.values()),
  };
  return {
    tables,
    faults,
    calls,
    refused,
    store,
    products: createProducts(tables, faults, now),
    users: createUsers(tables, faults, now),
    orderReader: createOrderReader(tables, faults),
    settlementReader: createSettlementReader(tables),
    settlementSnapshots: createFakeSettlementSnapshots(tables),
  };
}
export type FakeDatabase = ReturnType<typeof createFakeDatabase>;

interface WriterOptions {
  readonly faults: ReturnType<typeof createFaults<Operation>>;
  readonly calls: string[];
  readonly refused: ReadonlySet<string>;
}

/** The statements of one transaction, on the tables as it sees them. */
export function createWriter(tables: Tables, { faults, calls, refused }: WriterOptions): DecisionWriter {
  const called = (name: keyof DecisionWriter) => {
    calls.push(name);
    faults.check(name);
  };
  return {
    lockProducts: async (ids) => {
      called("lockProducts");
      return new Map(ids.flatMap((id) => toEntry(id, tables.products.get(id))));
    },
    knownUsers: async (ids) => {
      called("knownUsers");
      return new Set(ids.filter((id) => tables.users.has(id)));
    },
    existingOrders: async (ids) => {
      called("existingOrders");
      return new Map(ids.flatMap((id) => toEntry(id, tables.orders.get(id))));
    },
    bought: async (pairs) => {
      called("bought");
      const units = new Map<string, number>();
      for (const { productId, userId } of pairs) {
        const rows = [...tables.orders.values()].filter(
          (row) => row.productId === productId && row.userId === userId && row.status === "SUCCESS",
        );
        units.set(
          boughtKey(productId, userId),
          rows.reduce((sum, { quantity }) => sum + quantity, 0),
        );
      }
      return units;
    },
    parkedBefore: async (messages) => {
      called("parkedBefore");
      return new Map(
        messages.flatMap((raw) => toEntry(placeOf(raw), tables.letters.get(placeOf(raw))?.error)),
      );
    },
    write: async (decisions, decidedAt) => {
      called("write");
      for (const decision of decisions) writeOne(decision, decidedAt);
    },
    park: async (letters, parkedAt) => {
      called("park");
      const named = new Map<string, "SUCCESS" | "FAILED">();
      for (const letter of letters) {
        const place = placeOf(letter.message);
        if (!tables.letters.has(place)) {
          tables.letters.set(place, letter);
          tables.lettersParkedAt.set(place, parkedAt);
        }
        if (!letter.order) continue;
        const { orderId, userId, productId } = letter.order;
        if (!tables.orders.has(orderId))
          insertOrder({
            ...UNREADABLE,
            orderId,
            userId,
            productId,
            acceptedAt: parkedAt,
            decidedAt: parkedAt,
          });
        named.set(orderId, tables.orders.get(orderId)?.status ?? "FAILED");
      }
      return named;
    },
  };

  function writeOne(decision: Decision, decidedAt: number): void {
    if (decision.outcome === "DUPLICATE" || decision.outcome === "CONFLICT") return;
    const { order, outcome } = decision;
    if (refused.has(order.orderId)) throw new DomainError("validation_failed", "The database refuses a row.");
    const failReason = outcome === "FAILED" ? decision.reason : null;
    insertOrder({ ...order, status: outcome, failReason, decidedAt });
    if (outcome === "FAILED") return;
    settle(decision, decidedAt);
  }

  function insertOrder(row: OrderRow): void {
    if (tables.orders.has(row.orderId)) throw new Error(`Duplicate entry ${row.orderId} for key orders`);
    tables.orders.set(row.orderId, row);
    const path = tables.history.get(row.orderId) ?? [];
    tables.history.set(row.orderId, [...path, { from: "PENDING", to: row.status }]);
  }

  function settle({ order, amount }: Extract<Decision, { outcome: "SUCCESS" }>, settledAt: number): void {
    const { orderId, userId, productId, currency, quantity } = order;
    const product = tables.products.get(productId);
    if (!product || !tables.users.has(userId)) throw new Error("foreign key of settlements");
    const id = tables.settlements.size + 1;
    tables.settlements.set(orderId, {
      id,
      orderId,
      userId,
      productId,
      type: "charge",
      amount,
      currency,
      settledAt,
    });
    for (const scope of [`product:${productId}`, `user:${userId}`]) {
      const total = tables.totals.get(`${scope}:${currency}`) ?? { currency, count: 0, amount: 0 };
      const next = { currency, count: total.count + 1, amount: total.amount + amount };
      tables.totals.set(`${scope}:${currency}`, next);
    }
    const sold = product.sold + quantity;
    if (sold > product.stock) throw new Error(`Product ${productId} has no units left under its own lock.`);
    tables.products.set(productId, { ...product, sold });
  }
}

/** An order failed by name only. */
const UNREADABLE = {
  v: 1,
  quantity: 0,
  unitPrice: 0,
  currency: "",
  status: "FAILED",
  failReason: "invalid_message",
} as const;

function createProducts(
  tables: Tables,
  faults: WriterOptions["faults"],
  now: () => number,
): ProductRepository {
  const newestFirst = () => [...tables.products.values()].sort((a, b) => b.id - a.id);
  return {
    insert: async (product) => {
      faults.check("insert");
      const row: Product = { ...product, id: tables.products.size + 1, sold: 0, createdAt: now() };
      tables.products.set(row.id, row);
      return row;
    },
    findById: async (id) => {
      faults.check("findById");
      return tables.products.get(id) ?? null;
    },
    list: async ({ limit, after }) => {
      const rows = newestFirst().filter(({ id }) => after === undefined || id < after);
      return toPage(rows.slice(0, limit + 1), limit, ({ id }) => id);
    },
    active: async (at, endedWithinMs, limit) =>
      newestFirst()
        .filter(({ endTime }) => endTime > at - endedWithinMs)
        .slice(0, limit),
  };
}

function createUsers(tables: Tables, faults: WriterOptions["faults"], now: () => number): UserRepository {
  const same = (a: string, b: string) => a.toLowerCase() === b.toLowerCase();
  return {
    insert: async (user) => {
      faults.check("insert");
      const rows = [...tables.users.values()];
      if (rows.some(({ username }) => same(username, user.username)))
        throw new DomainError("username_taken", "This user name is in use.");
      if (rows.some(({ email }) => same(email, user.email)))
        throw new DomainError("email_taken", "This e-mail address is in use.");
      const row: Credentials = { ...user, id: tables.users.size + 1, createdAt: now() };
      tables.users.set(row.id, row);
      return withoutHash(row);
    },
    findById: async (id) => {
      const row = tables.users.get(id);
      return row ? withoutHash(row) : null;
    },
    findByLogin: async (login) => {
      const rows = [...tables.users.values()];
      const found = rows.find((row) =>
        "username" in login ? same(row.username, login.username) : same(row.email, login.email),
      );
      return found ?? null;
    },
  };
}

function withoutHash({ passwordHash: _hash, ...user }: Credentials) {
  return user;
}

function createOrderReader(tables: Tables, faults: WriterOptions["faults"]): OrderReader {
  return {
    findById: async (orderId) => {
      faults.check("findById");
      const row = tables.orders.get(orderId);
      return row ? toView(row) : null;
    },
    list: async ({ userId, status, productId }, { limit, after }) =>
      [...tables.orders.values()]
        .filter(
          (row) =>
            row.userId === userId &&
            (status === undefined || row.status === status) &&
            (productId === undefined || row.productId === productId),
        )
        .sort(newerFirst)
        .filter((row) => !after || newerFirst(row, { acceptedAt: after[0], orderId: after[1] }) > 0)
        .slice(0, limit)
        .map(toView),
    findDecided: async (ids) => {
      faults.check("findDecided");
      return ids.flatMap((id) => tables.orders.get(id) ?? []).map(toView);
    },
    decidedAmong: async (ids) => new Set(ids.filter((id) => tables.orders.has(id))),
  };

  function toView({ v: _v, failReason, ...row }: OrderRow): OrderView {
    const settled = tables.settlements.get(row.orderId);
    return {
      ...row,
      ...(failReason && { failReason }),
      ...(settled && {
        settlement: { id: settled.id, amount: settled.amount, settledAt: settled.settledAt },
      }),
    };
  }
}

function createSettlementReader({ settlements, totals }: Tables): SettlementReader {
  const newestFirst = (filter: SettlementFilter) =>
    [...settlements.values()].filter((row) => matches(filter, row)).sort((a, b) => b.id - a.id);
  return {
    list: async (scope, { limit, after }) => {
      const rows = newestFirst(scope).filter(({ id }) => after === undefined || id < after);
      return toPage(rows.slice(0, limit + 1), limit, ({ id }) => id);
    },
    latest: async (scope) => newestFirst(scope)[0] ?? null,
    total: async (scope) => {
      if (scope === "all") {
        const tally = createTally();
        for (const row of settlements.values()) tally.add(row);
        return tally.extent().totals;
      }
      const prefix = "userId" in scope ? `user:${scope.userId}:` : `product:${scope.productId}:`;
      return [...totals].filter(([key]) => key.startsWith(prefix)).map(([, total]) => total);
    },
  };
}

interface Positioned {
  readonly acceptedAt: number;
  readonly orderId: string;
}
const newerFirst = (a: Positioned, b: Positioned): number =>
  b.acceptedAt - a.acceptedAt || (a.orderId < b.orderId ? 1 : a.orderId > b.orderId ? -1 : 0);

const toEntry = <Key, Value>(key: Key, value: Value | undefined): [Key, Value][] =>
  value === undefined ? [] : [[key, value]];

/** Rows are never changed in place, so that copies of the maps are enough. */
function snapshot(tables: Tables): ReadonlyMap<keyof Tables, ReadonlyMap<unknown, unknown>> {
  const names = Object.keys(tables) as (keyof Tables)[];
  return new Map(names.map((name) => [name, new Map<unknown, unknown>(tables[name])]));
}

function restore(tables: Tables, before: ReturnType<typeof snapshot>): void {
  for (const [name, rows] of before) {
    const table = tables[name] as Map<unknown, unknown>;
    table.clear();
    for (const [key, row] of rows) table.set(key, row);
  }
}
