import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import Joi from "joi";
import {
  loadConfig,
  mysqlSettings,
  sharedSettings,
  StartRefused,
  type MysqlSettings,
  type SharedSettings,
} from "../shared/config.ts";

interface StackFile {
  readonly apiUrl: string;
  readonly mysql: { host: string; port: number; user: string; password: string; database: string };
  readonly redisUrl: string;
  readonly kafkaBrokers: string;
  readonly admin: { username: string; password: string };
}

/** Where `npm start` keeps everything (contract §5). */
export const flashpayHome = (): string => resolve(process.env["FLASHPAY_HOME"] ?? ".flashpay");

/** What a running `npm start` says of itself, or undefined when none runs from this folder. */
export function readStack(): StackFile | undefined {
  const file = join(flashpayHome(), "stack.json");
  return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as StackFile) : undefined;
}

const NO_SERVERS =
  "No servers: start FlashPay with npm start, or name them (MYSQL_HOST, REDIS_URL, KAFKA_BROKERS, …).";

/**
 * Servers for a tool: those of the environment, else those of the running stack.
 * @throws StartRefused when neither names them
 */
export const toolSettings = (): Readonly<SharedSettings> =>
  loadConfig(Joi.object<SharedSettings>(sharedSettings), environmentOrStack());

/** The same for a tool that needs the database alone. */
export const toolMysqlSettings = (): Readonly<MysqlSettings> =>
  loadConfig(Joi.object<MysqlSettings>(mysqlSettings), environmentOrStack());

export interface AccountSettings extends MysqlSettings {
  readonly REDIS_URL: string;
}

/** For a tool that looks an account up and ends its tokens. */
export const toolAccountSettings = (): Readonly<AccountSettings> =>
  loadConfig(
    Joi.object<AccountSettings>({ ...mysqlSettings, REDIS_URL: sharedSettings.REDIS_URL }),
    environmentOrStack(),
  );

function environmentOrStack(): NodeJS.ProcessEnv {
  if (process.env["MYSQL_HOST"]) return process.env;
  const stack = readStack();
  if (!stack) throw new StartRefused(NO_SERVERS);
  return serverSettings(stack);
}

/** Where the servers are, as the programs' own settings. */
export function serverSettings({
  mysql,
  redisUrl,
  kafkaBrokers,
}: Pick<StackFile, "mysql" | "redisUrl" | "kafkaBrokers">): NodeJS.ProcessEnv {
  return {
    MYSQL_HOST: mysql.host,
    MYSQL_PORT: String(mysql.port),
    MYSQL_USER: mysql.user,
    MYSQL_PASSWORD: mysql.password,
    MYSQL_DATABASE: mysql.database,
    REDIS_URL: redisUrl,
    KAFKA_BROKERS: kafkaBrokers,
    KAFKA_TOPIC_REPLICATION: "1",
  };
}
