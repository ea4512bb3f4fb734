import mysql from "mysql2/promise";
import type { MysqlAddress } from "../stack/mysql.ts";
import type { ProgramName } from "../stack/programs.ts";
import { grants, type Grantee } from "./rights.ts";

const CONNECT_TIMEOUT_MS = 3_000;

export type Grantees = Readonly<Partial<Record<ProgramName, Grantee>>>;

export const statements = (database: string, grantees: Grantees): string[] =>
  Object.entries(grantees).flatMap(([program, grantee]) => grants(program as ProgramName, database, grantee));

/** Gives the accounts their rights on a migrated database, as its owner; adds what is missing, takes nothing away. */
export async function grantRights(address: MysqlAddress, grantees: Grantees): Promise<void> {
  const { host, port, user, password, database } = address;
  const connection = await mysql.createConnection({
    ...{ host, port, user, password, database },
    connectTimeout: CONNECT_TIMEOUT_MS,
  });
  try {
    for (const statement of statements(database, grantees)) await connection.query(statement);
  } finally {
    await connection.end();
  }
}
