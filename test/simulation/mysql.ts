import type { Decision } from "../../shared/domain/decide.ts";
import { DomainError } from "../../shared/domain/errors.ts";
import type {
  DecisionStore,
  DecisionWriter,
  ProductRepository,
  SaleStore,
  SaleWriter,
  StockEpochs,
} from "../../shared/domain/ports.ts";
import { createFakeDatabase, createWriter, type Tables } from "../../shared/testing/database.ts";
import { createFakeStockEpochs } from "../../shared/testing/fakes.ts";
import { createFaults } from "../../shared/testing/faults.ts";
import { createRowLocks, LockWaitTimeout } from "./locks.ts";
import type { Network } from "./network.ts";
import type { Random } from "./random.ts";
import type { Process, Scheduler } from "./scheduler.ts";

const QUERY_TIMEOUT_MS = 2_000;
const QUERY_LATE_MAX_MS = 4_000;
/** How long the server may take to notice that a connection is gone. */
const NOTICE_MAX_MS = 300;
const ATTEMPTS_MAX = 3;

interface Transaction {
  readonly process: Process;
  /** What only this transaction sees. */
  readonly changes: Map<keyof Tables, Map<unknown, unknown>>;
  open: boolean;
}

const gone = (how: string) => new DomainError("not_ready", `mysql: ${how}`);

/**
 * MySQL as the programs meet it: READ COMMITTED, locked rows, a connection that breaks with its process, a COMMIT whose
 * reply is lost. The statements themselves are the fake's.
 */
export function createSimulatedMysql(
  { scheduler, random, network, onCommit }: SimulatedMysqlOptions,
  now: () => number,
) {
  const { tables, products } = createFakeDatabase(now);
  const epochs = createFakeStockEpochs();
  const refused = new Set<string>();
  const locks = createRowLocks(scheduler);
  const open = new Set<Transaction>();
  return { tables, refused, portsOf, disconnect };

  function portsOf(process: Process): MysqlPorts {
    const ask = <T>(what: string, act: () => T | Promise<T>) =>
      network.call({
        from: process,
        to: "mysql",
        what,
        act,
        failure: gone,
        timeoutMs: QUERY_TIMEOUT_MS,
        lateMaxMs: QUERY_LATE_MAX_MS,
        resent: false,
      });
    const store: DecisionStore = {
      transaction: (work) => transaction(process, ask, work, decisionsOf),
      decided: (ids) => ask("SELECT orders", () => writerOn(tables).existingOrders(ids)),
      whileLocked: (id, work) =>
        store.transaction(async ({ lockProducts }) => {
          const product = (await lockProducts([id])).get(id);
          return product ? await work(product) : null;
        }),
      async *boughtByProduct(productId) {
        yield await ask("SELECT bought", () => {
          const rows = [...tables.orders.values()];
          return rows.filter((row) => row.productId === productId && row.status === "SUCCESS");
        });
      },
      deadLetterCount: async () => 0,
      oldestDeadLetterAt: async () => null,
    };
    return {
      store,
      sales: { transaction: (work) => transaction(process, ask, work, salesOf) },
      products: {
        ...products,
        findById: (id) => ask("SELECT product", () => products.findById(id)),
        active: (...args) => ask("SELECT products", () => products.active(...args)),
      },
      epochs: {
        known: (ids) => ask("SELECT epochs", () => epochs.known(ids)),
        note: (news) => ask("INSERT epochs", () => epochs.note(news)),
      },
    };
  }

  type Ask = <T>(what: string, act: () => T | Promise<T>) => Promise<T>;

  async function transaction<T, Writer>(
    process: Process,
    ask: Ask,
    work: (writer: Writer) => Promise<T>,
    writerOf: (statement: Statement) => Writer,
  ): Promise<T> {
    for (let attempt = 1; ; attempt += 1) {
      const tx: Transaction = { process, changes: new Map(), open: true };
      open.add(tx);
      try {
        const result = await work(writerOf(statementsOf(tx, ask)));
        await ask("COMMIT", () => {
          commit(tx);
        });
        return result;
      } catch (error) {
        // The connection goes with the transaction; the server notices in its own time.
        scheduler.plan(random.below(NOTICE_MAX_MS), `mysql rolls back for ${process.name}`, () => {
          rollBack(tx);
        });
        const again = error instanceof LockWaitTimeout || isDuplicate(error);
        if (!again) throw error;
        if (attempt === ATTEMPTS_MAX) throw gone("contention");
      }
    }
  }

  /** One statement of a transaction, which waits for the rows that it locks. */
  type Statement = <T>(
    what: string,
    names: readonly string[],
    run: (writer: DecisionWriter, view: Tables) => Promise<T>,
  ) => Promise<T>;

  function statementsOf(tx: Transaction, ask: Ask): Statement {
    return (what, names, run) =>
      ask(what, async () => {
        if (isClosed(tx)) throw gone("the connection is closed");
        await locks.acquire(tx, names);
        if (isClosed(tx)) {
          // It ended while it was waiting: what it was given since goes back.
          locks.releaseAll(tx);
          throw gone("the connection is closed");
        }
        const view = viewOf(tx);
        const result = await run(writerOn(view), view);
        keepChanges(tx, view);
        return result;
      });
  }

  function salesOf(statement: Statement): SaleWriter {
    return {
      lock: (id) =>
        statement("SELECT … FOR UPDATE", [`product ${id}`], async (writer) => {
          return (await writer.lockProducts([id])).get(id) ?? null;
        }),
      write: ({ id, title, stock, endTime }) =>
        statement("UPDATE products", [], async (_writer, { products: rows }) => {
          const row = rows.get(id);
          if (row) rows.set(id, { ...row, title, stock, endTime });
        }),
      record: () => statement("INSERT admin_audit", [], async () => undefined),
    };
  }

  function decisionsOf(statement: Statement): DecisionWriter {
    const productLocks = (ids: readonly number[]) =>
      [...ids].sort((a, b) => a - b).map((id) => `product ${id}`);
    return {
      lockProducts: (ids) => statement("SELECT … FOR UPDATE", productLocks(ids), (w) => w.lockProducts(ids)),
      knownUsers: (ids) => statement("SELECT users", [], (w) => w.knownUsers(ids)),
      existingOrders: (ids) => statement("SELECT orders", [], (w) => w.existingOrders(ids)),
      bought: (pairs) => statement("SELECT bought", [], (w) => w.bought(pairs)),
      parkedBefore: (raw) => statement("SELECT letters", [], (w) => w.parkedBefore(raw)),
      write: (decisions, at) =>
        statement("INSERT decisions", rowsOf(decisions), (w) => w.write(decisions, at)),
      park: (letters, at) => {
        const named = letters.flatMap(({ order }) => (order ? [`order ${order.orderId}`] : []));
        return statement("INSERT letters", named.sort(), (w) => w.park(letters, at));
      },
    };
  }

  function writerOn(view: Tables): DecisionWriter {
    return createWriter(view, { faults: createFaults(), calls: [], refused });
  }

  /** What is committed, and on top of it the transaction's own. */
  function viewOf(tx: Transaction): Tables {
    const entries = Object.entries(tables) as [keyof Tables, Map<unknown, unknown>][];
    const views = entries.map(([name, rows]) => [name, new Map([...rows, ...(tx.changes.get(name) ?? [])])]);
    return Object.fromEntries(views) as Tables;
  }

  function keepChanges(tx: Transaction, view: Tables): void {
    for (const name of Object.keys(tables) as (keyof Tables)[]) {
      const committed: ReadonlyMap<unknown, unknown> = tables[name];
      const own = [...(view[name] as Map<unknown, unknown>)].filter(
        ([key, row]) => committed.get(key) !== row,
      );
      tx.changes.set(name, new Map(own));
    }
  }

  function commit(tx: Transaction): void {
    if (!tx.open) throw gone("the connection is closed");
    for (const [name, rows] of tx.changes)
      for (const [key, row] of rows) (tables[name] as Map<unknown, unknown>).set(key, row);
    end(tx);
    onCommit();
  }

  function rollBack(tx: Transaction): void {
    if (tx.open) end(tx);
  }

  function end(tx: Transaction): void {
    tx.open = false;
    open.delete(tx);
    locks.releaseAll(tx);
  }

  /** The process is dead: its connections break, sooner or later. */
  function disconnect(process: Process): void {
    for (const tx of open) {
      if (tx.process !== process) continue;
      scheduler.plan(random.below(NOTICE_MAX_MS), `mysql rolls back for ${process.name}`, () => {
        rollBack(tx);
      });
    }
  }
}
export type SimulatedMysql = ReturnType<typeof createSimulatedMysql>;

export interface MysqlPorts {
  readonly store: DecisionStore;
  readonly products: ProductRepository;
  readonly sales: SaleStore;
  readonly epochs: StockEpochs;
}

export interface SimulatedMysqlOptions {
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly network: Network;
  readonly onCommit: () => void;
}

/** The rows that these decisions insert or add to, in the order in which the statements lock them. */
function rowsOf(decisions: readonly Decision[]): string[] {
  const written = decisions.filter(({ outcome }) => outcome === "SUCCESS" || outcome === "FAILED");
  const orders = written.map(({ order }) => `order ${order.orderId}`);
  const totals = written.flatMap(({ order }) => [`total p${order.productId}`, `total u${order.userId}`]);
  return [...orders.sort(), ...[...new Set(totals)].sort()];
}

const isClosed = (tx: Transaction): boolean => !tx.open;
const isDuplicate = (error: unknown): boolean =>
  error instanceof Error && error.message.startsWith("Duplicate entry");
