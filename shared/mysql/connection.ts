import { Sequelize, Transaction } from "sequelize";
import type { MysqlSettings } from "../config.ts";

/** How long a caller waits for a free connection; above it the caller hears not_ready. */
const ACQUIRE_TIMEOUT_MS = 2_000;
const CONNECT_TIMEOUT_MS = 2_000;
const IDLE_CLOSE_MS = 60_000;

/** The only place that configures Sequelize: UTC, READ COMMITTED, integers as numbers. */
export function createSequelize(settings: MysqlSettings): Sequelize {
  return new Sequelize(settings.MYSQL_DATABASE, settings.MYSQL_USER, settings.MYSQL_PASSWORD, {
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
      // Every BIGINT here stays below 2⁵³ (money.ts); one that does not comes as a string and fails its type guard.
      supportBigNumbers: true,
      bigNumberStrings: false,
      decimalNumbers: false,
    },
  });
}
