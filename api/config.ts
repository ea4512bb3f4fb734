import Joi from "joi";
import { readConfig, type ReadConfig } from "../shared/config-server/read-config.ts";
import { loadConfig, onOutsideProduction, sharedSettings, type SharedSettings } from "../shared/config.ts";
import { corsOrigins, shortInProduction, tlsEndedByProxy, trustProxy } from "./edge-settings.ts";
import { isGuessable } from "./guessable-secret.ts";
import { reportSettings, type ReportSettings } from "./report-settings.ts";

export interface ApiConfig extends SharedSettings, ReportSettings {
  readonly PORT: number;
  readonly HOST: string;
  readonly JWT_SECRET: string;
  /** Signed before JWT_SECRET did; its tokens are still taken. */
  readonly JWT_SECRET_PREVIOUS?: string;
  /** Seconds. */
  readonly JWT_EXPIRES_IN: number;
  readonly PRODUCE_TIMEOUT_MS: number;
  /** Seconds. */
  readonly UNDECIDED_AGE_MAX: number;
  readonly RATE_LIMIT_PER_ADDRESS: number;
  readonly RATE_LIMIT_ORDERS_PER_USER: number;
  readonly LOGIN_FAILURES_PER_ACCOUNT: number;
  readonly LOGIN_FAILURES_PER_ADDRESS: number;
  /** In ten seconds. */
  readonly PASSWORDS_PER_ADDRESS: number;
  readonly PASSWORD_QUEUE_MAX: number;
  readonly SHED_READS_ABOVE_MS: number;
  readonly SHED_ALL_BUT_ORDERS_ABOVE_MS: number;
  readonly EVENT_STREAMS_MAX: number;
  readonly EVENT_STREAMS_PER_USER: number;
  /** How many proxies stand in front, or the addresses and networks of those that do. */
  readonly TRUST_PROXY: number | readonly string[];
  readonly TLS_ENDED_BY_PROXY: "yes" | "no";
  readonly CORS_ORIGINS?: readonly string[];
  readonly API_DOCS: "on" | "off";
  readonly METRICS: "on" | "off";
}

const JWT_SECRET_BYTES_MIN = 32;
const secret = (name: string): Joi.StringSchema =>
  Joi.string()
    .custom(strongSecret)
    .messages({
      "secret.short": `${name} must have at least ${JWT_SECRET_BYTES_MIN} bytes`,
      "secret.known": `${name} is made of well-known words, a sequence or repetitions; use random bytes`,
    });

export const apiSettings = Joi.object<ApiConfig>({
  ...sharedSettings,
  PORT: Joi.number().port().default(3000),
  HOST: Joi.string().hostname().default("127.0.0.1"),
  JWT_SECRET: secret("JWT_SECRET").required(),
  JWT_SECRET_PREVIOUS: secret("JWT_SECRET_PREVIOUS")
    .invalid(Joi.ref("JWT_SECRET"))
    .messages({ "any.invalid": "JWT_SECRET_PREVIOUS must differ from JWT_SECRET" }),
  JWT_EXPIRES_IN: Joi.string()
    .pattern(/^[1-9]\d{0,5}(s|m|h)?$/)
    .custom(toSeconds)
    .when("NODE_ENV", shortInProduction)
    .default(1_800)
    .messages({ "string.pattern.base": "JWT_EXPIRES_IN must be seconds, or a number with s, m or h" }),
  PRODUCE_TIMEOUT_MS: Joi.number().integer().min(100).max(5_000).default(900),
  UNDECIDED_AGE_MAX: Joi.number().integer().min(5).max(604_800).default(300),
  RATE_LIMIT_PER_ADDRESS: Joi.number().integer().min(1).max(10_000_000).default(1_000),
  RATE_LIMIT_ORDERS_PER_USER: Joi.number().integer().min(1).max(1_000_000).default(20),
  LOGIN_FAILURES_PER_ACCOUNT: Joi.number().integer().min(1).max(100_000).default(10),
  LOGIN_FAILURES_PER_ADDRESS: Joi.number().integer().min(1).max(1_000_000).default(30),
  PASSWORDS_PER_ADDRESS: Joi.number().integer().min(1).max(1_000_000).default(60),
  PASSWORD_QUEUE_MAX: Joi.number().integer().min(1).max(100_000).default(100),
  SHED_READS_ABOVE_MS: Joi.number().integer().min(20).max(60_000).default(250),
  SHED_ALL_BUT_ORDERS_ABOVE_MS: Joi.number()
    .integer()
    .min(Joi.ref("SHED_READS_ABOVE_MS"))
    .max(60_000)
    .default(1_000)
    .messages({ "number.min": "SHED_ALL_BUT_ORDERS_ABOVE_MS must not be below SHED_READS_ABOVE_MS" }),
  EVENT_STREAMS_MAX: Joi.number().integer().min(0).max(1_000_000).default(10_000),
  EVENT_STREAMS_PER_USER: Joi.number().integer().min(1).max(10_000).default(10),
  ...reportSettings,
  TRUST_PROXY: trustProxy,
  TLS_ENDED_BY_PROXY: tlsEndedByProxy,
  CORS_ORIGINS: corsOrigins,
  API_DOCS: onOutsideProduction,
  METRICS: onOutsideProduction,
});

/** @throws StartRefused with every problem at once */
export const loadApiConfig = (env: NodeJS.ProcessEnv = process.env): Readonly<ApiConfig> =>
  loadConfig(apiSettings, env);

/** The same, with what a Spring Cloud Config Server says where the environment is silent. */
export const readApiConfig = (env: NodeJS.ProcessEnv = process.env): Promise<ReadConfig<ApiConfig>> =>
  readConfig(apiSettings, env);

function strongSecret(value: string, helpers: Joi.CustomHelpers): string | Joi.ErrorReport {
  if (Buffer.byteLength(value) < JWT_SECRET_BYTES_MIN) return helpers.error("secret.short");
  if (isGuessable(value, JWT_SECRET_BYTES_MIN)) return helpers.error("secret.known");
  return value;
}

const UNIT_S: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600 };

function toSeconds(value: string): number {
  return Number.parseInt(value, 10) * (UNIT_S[value.at(-1) ?? ""] ?? 1);
}
