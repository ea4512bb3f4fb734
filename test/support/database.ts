import mysql from "mysql2/promise";
import type { MysqlAddress } from "../../tools/stack/mysql.ts";

/** The test's own look into MySQL, beside the programs. */
export interface Database {
  rows<Row extends object>(sql: string, values?: unknown[]): Promise<Row[]>;
  /** @returns rows changed */
  run(sql: string, values?: unknown[]): Promise<number>;
  count(sql: string, values?: unknown[]): Promise<number>;
  close(): Promise<void>;
}

/** With one connection, what is set for the session holds for all that follows. */
export function openDatabase(
  { host, port, user, password, database }: MysqlAddress,
  connectionLimit = 2,
): Database {
  const pool = mysql.createPool({
    ...{ host, port, user, password, database },
    connectionLimit,
    timezone: "Z",
    multipleStatements: false,
  });
  return {
    async rows(sql, values = []) {
      const [rows] = await pool.query<mysql.RowDataPacket[]>(sql, values);
      return rows as never[];
    },
    async run(sql, values = []) {
      const [result] = await pool.query<mysql.ResultSetHeader>(sql, values);
      return result.affectedRows;
    },
    async count(sql, values = []) {
      const [rows] = await pool.query<mysql.RowDataPacket[]>(sql, values);
      return Number(Object.values(rows[0] ?? {})[0]);
    },
    close: () => pool.end(),
  };
}
