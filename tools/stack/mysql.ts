import mysql from "mysql2/promise";
import { hasCode, reason, StackFailure } from "./failure.ts";
import { writePrivately } from "./files.ts";
import type { Home } from "./home.ts";
import {
  API_USER,
  DATABASE,
  DATABASE_USER,
  initStatements,
  prepareData,
  serverOptions,
  WORKER_USER,
  type Engine,
} from "./mysql-engine.ts";
import { startService, type Server } from "./server.ts";
import type { Secrets } from "./secrets.ts";

export type Account = { user: string; password: string };
/** Where a database is, and its owner; `accounts` of the programs, where they have their own. */
export type MysqlAddress = Account & {
  host: string;
  port: number;
  database: string;
  accounts?: { api: Account; worker: Account };
};
export type MysqlServer = Server & MysqlAddress;

const READY_DEADLINE_MS = 60_000;
const STOP_DEADLINE_MS = 30_000;
const CONNECT_TIMEOUT_MS = 3_000;
const CONNECTIONS_MAX = 200;

const TUNING = [
  "--bind-address=127.0.0.1",
  "--socket=mysql.sock",
  "--pid-file=mysql.pid",
  "--skip-name-resolve",
  "--skip-log-bin",
  "--character-set-server=utf8mb4",
  "--collation-server=utf8mb4_unicode_ci",
  "--default-time-zone=+00:00",
  "--transaction-isolation=READ-COMMITTED",
  "--sql-mode=STRICT_TRANS_TABLES,ONLY_FULL_GROUP_BY,ERROR_FOR_DIVISION_BY_ZERO,NO_ZERO_IN_DATE,NO_ZERO_DATE,NO_ENGINE_SUBSTITUTION",
  "--innodb-flush-log-at-trx-commit=1", // a settlement that was reported is on the disk
  "--innodb-buffer-pool-size=256M",
  "--performance-schema=OFF",
  `--max-connections=${String(CONNECTIONS_MAX)}`,
];

/** A private MySQL or MariaDB: data in the home, one database, one user, random passwords. */
export async function startMysql(
  home: Home,
  engine: Engine,
  secrets: Secrets,
  port: number,
  more: readonly string[] = [],
): Promise<MysqlServer> {
  const data = await prepareData(home, engine);
  const init = home.at("mysql", "init.sql");
  writePrivately(init, initStatements(secrets));
  const address = privateMysql(port, secrets);
  const args = [
    ...serverOptions(engine, data),
    `--port=${String(port)}`,
    `--init-file=${init}`,
    ...TUNING,
    ...more,
  ];
  const server = await startService(home, {
    name: "mysql",
    title: engine.kind,
    label: `${engine.kind} ${engine.version} on 127.0.0.1:${String(port)}`,
    port,
    launch: { command: engine.program, args, cwd: home.path, env: process.env },
    probe: () => logIn(address),
    readyDeadlineMs: READY_DEADLINE_MS,
    stopDeadlineMs: STOP_DEADLINE_MS,
    complaint: /\[ERROR\]/,
  });
  return Object.assign(server, address);
}

/** The server that MYSQL_HOST names. */
export function namedMysql(env: NodeJS.ProcessEnv, host: string): MysqlAddress {
  const password = env["MYSQL_PASSWORD"];
  if (password === undefined) throw new StackFailure("MYSQL_HOST is set, so MYSQL_PASSWORD must be set too.");
  return {
    host,
    port: Number(env["MYSQL_PORT"] ?? 3306),
    user: env["MYSQL_USER"] ?? DATABASE_USER,
    password,
    database: env["MYSQL_DATABASE"] ?? DATABASE,
  };
}

export function privateMysql(port: number, secrets: Secrets): MysqlAddress {
  return {
    host: "127.0.0.1",
    port,
    user: DATABASE_USER,
    password: secrets.mysqlPassword,
    database: DATABASE,
    accounts: {
      api: { user: API_USER, password: secrets.mysqlApiPassword },
      worker: { user: WORKER_USER, password: secrets.mysqlWorkerPassword },
    },
  };
}

/** A log-in as the programs will do it; the port alone is open before the server lets anybody in. */
export async function logIn({ host, port, user, password, database }: MysqlAddress): Promise<void> {
  const connection = await mysql.createConnection({
    ...{ host, port, user, password, database },
    connectTimeout: CONNECT_TIMEOUT_MS,
  });
  connection.on("error", () => undefined);
  await connection.query("SELECT 1");
  await connection.end();
}

/** Says in one sentence why a named server is of no use; makes its database if only that is missing. */
export async function checkNamedMysql(address: MysqlAddress): Promise<void> {
  const where = `MySQL at ${address.host}:${String(address.port)}, named by MYSQL_HOST,`;
  try {
    await logIn(address).catch(async (error: unknown) => {
      if (!hasCode(error, "ER_BAD_DB_ERROR")) throw error;
      const connection = await mysql.createConnection({ ...address, database: "" });
      await connection.query("CREATE DATABASE ?? CHARACTER SET utf8mb4", [address.database]);
      await connection.end();
    });
  } catch (error) {
    throw new StackFailure(`${where} cannot be used: ${reason(error)}.`);
  }
}
