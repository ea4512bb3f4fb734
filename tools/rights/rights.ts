import { escape, escapeId } from "mysql2";
import type { ProgramName } from "../stack/programs.ts";

type Rights = Readonly<Record<string, readonly string[]>>;

/**
 * What each program may do with each table, and nothing else: least privilege (OWASP ASVS 5.0, 13.2.2). No program may
 * change or delete a row of orders, order_history, settlements or admin_audit. The columns in brackets are the ones that may be
 * updated; a right to update some column is also what MySQL asks of SELECT … FOR UPDATE. Where rows are merged (ON DUPLICATE KEY
 * UPDATE), MariaDB asks for the right on every column.
 */
export const RIGHTS: Readonly<Record<ProgramName, Rights>> = {
  api: {
    users: ["SELECT", "INSERT"],
    products: ["SELECT", "INSERT", "UPDATE (title, stock, end_time)"],
    orders: ["SELECT"],
    order_history: ["SELECT"],
    settlements: ["SELECT"],
    settlement_totals: ["SELECT"],
    dead_letters: ["SELECT", "UPDATE (status, handled_at)"],
    admin_audit: ["SELECT", "INSERT"],
    stock_epochs: ["SELECT", "INSERT", "UPDATE"],
    schema_migrations: ["SELECT"],
  },
  worker: {
    users: ["SELECT"],
    products: ["SELECT", "UPDATE (sold)"],
    orders: ["SELECT", "INSERT"],
    order_history: ["SELECT", "INSERT"],
    settlements: ["SELECT", "INSERT"],
    settlement_totals: ["SELECT", "INSERT", "UPDATE"],
    dead_letters: ["SELECT", "INSERT", "UPDATE"],
    stock_epochs: ["SELECT", "INSERT", "UPDATE"],
    schema_migrations: ["SELECT"],
  },
};

export interface Grantee {
  readonly user: string;
  /** Host part of the account, as MySQL has it: % for any. */
  readonly host: string;
}

/** One GRANT a table; each is harmless when it is repeated. */
export function grants(program: ProgramName, database: string, { user, host }: Grantee): string[] {
  return Object.entries(RIGHTS[program]).map(
    ([table, rights]) =>
      `GRANT ${rights.join(", ")} ON ${escapeId(database)}.${escapeId(table)} TO ${escape(user)}@${escape(host)}`,
  );
}
