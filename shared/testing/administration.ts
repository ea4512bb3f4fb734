import type { AuditEntry, AuditNote } from "../domain/audit.ts";
import type { StoredDeadLetter } from "../domain/dead-letter.ts";
import { toPage, type PageRequest } from "../domain/page.ts";
import type {
  AuditTrail,
  DeadLetterReplay,
  DeadLetterStore,
  DeadLetterWriter,
  RawMessage,
  SaleStore,
} from "../domain/ports.ts";
import type { FakeDatabase } from "./database.ts";
import { createFaults } from "./faults.ts";

/** What administrators see and do, on maps: letters, their audit trail, and the log that replays go to. */
export function createFakeAdministration(
  { tables, store: database }: Pick<FakeDatabase, "tables" | "store">,
  now: () => number,
) {
  const letters = new Map<number, StoredDeadLetter>();
  const entries: AuditEntry[] = [];
  /** Messages that were replayed, in order. */
  const log: Pick<RawMessage, "key" | "value">[] = [];
  const faults = createFaults<"send" | "record" | "commit">();
  let queue: Promise<unknown> = Promise.resolve();

  const audit: AuditTrail = {
    record: async (note) => {
      faults.check("record");
      entries.push(toEntry(note));
    },
    list: async ({ target }, page) =>
      newestFirst(
        entries.filter((entry) => target === undefined || entry.target === target),
        page,
      ),
  };
  const replays: DeadLetterReplay = {
    send: async (letter) => {
      faults.check("send");
      log.push(letter);
    },
  };
  const writer: DeadLetterWriter = {
    lock: async (id) => letters.get(id) ?? null,
    orderStatus: async (orderId) => tables.orders.get(orderId)?.status ?? null,
    handle: async (id, status, handledAt) => {
      const letter = letters.get(id);
      if (letter?.status !== "parked") throw new Error(`Dead letter ${id} is not parked under its own lock.`);
      letters.set(id, { ...letter, status, handledAt });
    },
    record: audit.record,
  };
  const store: DeadLetterStore = {
    list: async ({ status, orderId, partition }, page) =>
      newestFirst(
        [...letters.values()].filter(
          (letter) =>
            (status === undefined || letter.status === status) &&
            (orderId === undefined || letter.orderId === orderId) &&
            (partition === undefined || letter.partition === partition),
        ),
        page,
      ),
    find: async (id) => letters.get(id) ?? null,
    transaction(work) {
      const run = queue.then(async () => {
        const before = { letters: new Map(letters), entries: entries.length };
        try {
          const result = await work(writer);
          faults.check("commit");
          return result;
        } catch (error) {
          for (const [id, letter] of before.letters) letters.set(id, letter);
          entries.splice(before.entries);
          throw error;
        }
      });
      queue = run.catch(() => undefined);
      return run;
    },
  };
  const sales: SaleStore = {
    transaction: (work) =>
      database.transaction(async ({ lockProducts }) => {
        const recorded = entries.length;
        try {
          const result = await work({
            lock: async (id) => (await lockProducts([id])).get(id) ?? null,
            write: async ({ id, title, stock, endTime }) => {
              const row = tables.products.get(id);
              if (!row || stock < row.stock || endTime > row.endTime)
                throw new Error(`Product ${id} does not take its change under its own lock.`);
              tables.products.set(id, { ...row, title, stock, endTime });
            },
            record: audit.record,
          });
          faults.check("commit");
          return result;
        } catch (error) {
          entries.splice(recorded);
          throw error;
        }
      }),
  };
  return { letters: store, audit, sales, replays, faults, log, entries, rows: letters, park };

  /** Letter n, as the worker would have parked it. */
  function park(n: number, changes: Partial<StoredDeadLetter> = {}): StoredDeadLetter {
    const letter: StoredDeadLetter = {
      ...{ id: n, topic: "flashpay.orders.v1", partition: 0, offset: n, orderId: null },
      ...{ error: "the value is not JSON", status: "parked", parkedAt: now(), handledAt: null },
      ...{ size: changes.value?.length ?? 0, key: null, value: null },
      ...changes,
    };
    letters.set(n, letter);
    return letter;
  }

  function toEntry({ adminId, reason, ...note }: AuditNote): AuditEntry {
    const username = tables.users.get(adminId)?.username;
    if (username === undefined) throw new Error("foreign key of admin_audit");
    const admin = { id: adminId, username };
    return { ...note, id: entries.length + 1, at: now(), admin, reason: reason ?? null };
  }
}
export type FakeAdministration = ReturnType<typeof createFakeAdministration>;

function newestFirst<Row extends { readonly id: number }>(
  rows: readonly Row[],
  { limit, after }: PageRequest<number>,
) {
  const behind = rows.filter(({ id }) => after === undefined || id < after).sort((a, b) => b.id - a.id);
  return toPage(behind.slice(0, limit + 1), limit, ({ id }) => id);
}
