import { format } from "mysql2";
import { Sequelize, Transaction } from "sequelize";
import type { MysqlSettings } from "../config.ts";

/** How long a caller waits for a free connection; above it the caller hears not_ready. */
const ACQUIRE_TIMEOUT_MS = 2_000;
const CONNECT_TIMEOUT_MS = 2_000;
const IDLE_CLOSE_MS = 60_000;
/** Nothing is prepared on the server (`limitStatements`); the driver makes room for 16 000 by itself, half a megabyte a connection. */
const PREPARED_STATEMENTS_MAX = 16;

/**
 * The only place that configures Sequelize: UTC, READ COMMITTED, integers as numbers.
 * @param statementTimeoutMs a statement without an answer for so long fails, and takes its connection with it: a database
 *   that is frozen, or behind a dead line, is an outage like any other
 */
export function createSequelize(settings: MysqlSettings, statementTimeoutMs: number): Sequelize {
  const sequelize = new Sequelize(settings.MYSQL_DATABASE, settings.MYSQL_USER, settings.MYSQL_PASSWORD, {
    host: settings.MYSQL_HOST,
    port: settings.MYSQL_PORT,
    dialect: "mysql",
    timezone: "+00:00",
    logging: false,
    isolationLevel: Transaction.ISOLATION_LEVELS.READ_COMMITTED,
    pool: { max: settings.MYSQL_POOL_MAX, min: 0, acquire: ACQUIRE_TIMEOUT_MS, idle: IDLE_CLOSE_MS },
    retry: { max: 0 },
    dialectOptions: {
      charset: "utf8mb4",
      connectTimeout: CONNECT_TIMEOUT_MS,
      // Node.js' own authorities, and NODE_EXTRA_CA_CERTS. Without the name any valid certificate would do.
      ...(settings.MYSQL_TLS === "on" && { ssl: { minVersion: "TLSv1.2", verifyIdentity: true } }),
      maxPreparedStatements: PREPARED_STATEMENTS_MAX,
      // Every BIGINT here stays below 2⁵³ (money.ts); one that does not comes as a string and fails its type guard.
      supportBigNumbers: true,
      bigNumberStrings: false,
      decimalNumbers: false,
      // Sequelize hands over finished statements: the driver would look for placeholders in every character of them.
      queryFormat: (sql: string) => sql,
    },
  });
  sequelize.addHook("afterConnect", (connection) => {
    limitStatements(connection as DriverConnection, statementTimeoutMs);
  });
  return sequelize;
}

type Callback = (error: { code?: string } | null, ...results: unknown[]) => void;

/** The part of a mysql2 connection that Sequelize uses. */
interface DriverConnection {
  query(options: { sql: string; timeout?: number }, callback: Callback): unknown;
  execute(sql: string, values: Parameters<typeof format>[1], callback: Callback): unknown;
  destroy(): void;
}

/** Sequelize has no such setting of its own, and hands none to the driver. */
function limitStatements(connection: DriverConnection, timeout: number): void {
  const query = connection.query.bind(connection);
  connection.query = (options, callback) =>
    query({ ...options, timeout }, (error, ...results) => {
      // Its answer may still come; the next statement must not take it for its own.
      if (error?.code === "PROTOCOL_SEQUENCE_TIMEOUT") connection.destroy();
      callback(error, ...results);
    });
  // A model's INSERT binds its values. The driver waits for the server to prepare a statement for as long as it takes.
  connection.execute = (sql, values, callback) => connection.query({ sql: format(sql, values) }, callback);
}
