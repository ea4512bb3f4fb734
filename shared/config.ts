import { readFileSync } from "node:fs";
import Joi from "joi";
import { FAIL_POINTS } from "./fail-point.ts";

/** A program refuses to start for this reason; the message is the one sentence the operator reads. */
export class StartRefused extends Error {
  override readonly name = "StartRefused";
}

/** Setting → what another place than the environment says it is, and where that stands. */
export type Overlay = ReadonlyMap<string, { readonly value: string; readonly source: string }>;

/** Name of each setting → the only values that it may have, if the schema lists them. */
export function settingsOf(schema: Joi.ObjectSchema): ReadonlyMap<string, readonly unknown[]> {
  const { keys } = schema.describe() as { keys: Record<string, { allow?: unknown[] }> };
  return new Map(Object.entries(keys).map(([name, { allow = [] }]) => [name, allow]));
}

/** Whether the environment says what a setting is; then nobody else does. */
export const isInEnvironment = (env: NodeJS.ProcessEnv, name: string): boolean =>
  Boolean(env[name]) || Boolean(env[`${name}_FILE`]);

/**
 * Validates the environment once, reports every problem at once, and freezes the result. NAME_FILE may stand for a
 * setting NAME: the file's content, without its last line break, is the value (Docker and Kubernetes secrets).
 * The overlay holds where the environment is silent, and is named with each problem that it has brought.
 * @throws StartRefused
 */
export function loadConfig<T>(
  schema: Joi.ObjectSchema<T>,
  env: NodeJS.ProcessEnv,
  overlay: Overlay = new Map(),
): Readonly<T> {
  const names = [...settingsOf(schema).keys()];
  const overlaid = names.flatMap((name) => {
    const found = isInEnvironment(env, name) ? undefined : overlay.get(name);
    return found ? [[name, found.value] as const] : [];
  });
  const given = { ...Object.fromEntries(overlaid), ...fromFiles(env, names) };
  const result = schema.validate(given, {
    abortEarly: false,
    stripUnknown: true,
    errors: { label: "key", wrap: { label: false } },
  });
  if (result.error) {
    const sources = new Map(overlaid.map(([name]) => [name, ` (in ${overlay.get(name)?.source ?? ""})`]));
    const problems = result.error.details.map(
      ({ message, path }) => `${message}${sources.get(String(path[0])) ?? ""}`,
    );
    throw new StartRefused(`Settings refused: ${problems.join("; ")}.`);
  }
  return Object.freeze(result.value);
}

/** Each of these settings as the environment says it, outright or in a file. @throws StartRefused */
export function fromFiles(
  env: NodeJS.ProcessEnv,
  names: readonly string[],
): Record<string, string | undefined> {
  const values: Record<string, string | undefined> = {};
  const problems: string[] = [];
  for (const name of names) {
    const file = env[`${name}_FILE`];
    if (env[name] && file) problems.push(`${name} and ${name}_FILE are both set: set one of them`);
    else if (env[name]) values[name] = env[name];
    else if (file) values[name] = contentOf(file) ?? "";
    if (file && values[name] === "")
      problems.push(`${name}_FILE names a file that cannot be read, or is empty`);
  }
  if (problems.length > 0) throw new StartRefused(`Settings refused: ${problems.join("; ")}.`);
  return values;
}

function contentOf(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8").replace(/\r?\n$/, "");
  } catch {
    return undefined;
  }
}

export interface MysqlSettings {
  readonly MYSQL_HOST: string;
  readonly MYSQL_PORT: number;
  readonly MYSQL_USER: string;
  readonly MYSQL_PASSWORD: string;
  readonly MYSQL_DATABASE: string;
  readonly MYSQL_TLS?: "on" | "off";
  readonly MYSQL_POOL_MAX: number;
}

export interface SharedSettings extends MysqlSettings {
  readonly NODE_ENV: "production" | "development" | "test";
  readonly LOG_LEVEL: "fatal" | "error" | "warn" | "info" | "debug" | "trace" | "silent";
  readonly REDIS_URL: string;
  readonly KAFKA_BROKERS: string;
  readonly KAFKA_TLS?: "on" | "off";
  readonly KAFKA_SASL_MECHANISM?: "plain" | "scram-sha-256" | "scram-sha-512";
  readonly KAFKA_SASL_USERNAME?: string;
  readonly KAFKA_SASL_PASSWORD?: string;
  readonly KAFKA_TOPIC_REPLICATION: number;
  /** OTLP over HTTP; undefined: nothing is traced. */
  readonly OTEL_EXPORTER_OTLP_ENDPOINT?: string;
  readonly FAIL_POINT?: string;
}

const brokerList = /^[^\s,:]+:\d{1,5}(\s*,\s*[^\s,:]+:\d{1,5})*$/;
const redisList = /^rediss?:\/\/[^\s,]+(\s*,\s*rediss?:\/\/[^\s,]+)*$/;

export const mysqlSettings = {
  MYSQL_HOST: Joi.string().required(),
  MYSQL_PORT: Joi.number().port().default(3306),
  MYSQL_USER: Joi.string().required(),
  MYSQL_PASSWORD: Joi.string().required(),
  MYSQL_DATABASE: Joi.string().required(),
  MYSQL_TLS: Joi.string().valid("on", "off").default("off"),
  MYSQL_POOL_MAX: Joi.number().integer().min(2).max(100).default(15),
};

const PLAIN_NEEDS_TLS =
  "KAFKA_TLS must be on where KAFKA_SASL_MECHANISM is plain, for the password would cross the network in clear";

/** Settings of both programs, in the order of .env.example. */
export const sharedSettings = {
  NODE_ENV: Joi.string().valid("production", "development", "test").default("production"),
  LOG_LEVEL: Joi.string().valid("fatal", "error", "warn", "info", "debug", "trace", "silent").default("info"),
  ...mysqlSettings,
  REDIS_URL: Joi.string().pattern(redisList).required().messages({
    "string.pattern.base": "REDIS_URL must be redis://host:port, or several of them with commas",
  }),
  KAFKA_BROKERS: Joi.string()
    .pattern(brokerList)
    .required()
    .messages({ "string.pattern.base": "KAFKA_BROKERS must be host:port, or several of them with commas" }),
  KAFKA_SASL_MECHANISM: Joi.string()
    .valid("plain", "scram-sha-256", "scram-sha-512")
    .default("scram-sha-512"),
  KAFKA_TLS: Joi.string()
    .valid("on", "off")
    .default("off")
    .when("KAFKA_SASL_MECHANISM", {
      is: "plain",
      then: Joi.required()
        .valid(Joi.override, "on")
        .messages({ "any.only": PLAIN_NEEDS_TLS, "any.required": PLAIN_NEEDS_TLS }),
    }),
  KAFKA_SASL_USERNAME: Joi.string(),
  KAFKA_SASL_PASSWORD: Joi.string().when("KAFKA_SASL_USERNAME", { is: Joi.exist(), then: Joi.required() }),
  KAFKA_TOPIC_REPLICATION: Joi.number().integer().min(1).max(7).default(3),
  OTEL_EXPORTER_OTLP_ENDPOINT: Joi.string()
    .uri({ scheme: ["http", "https"] })
    .messages({
      "string.uriCustomScheme": "OTEL_EXPORTER_OTLP_ENDPOINT must be http://host:port or https://…",
    }),
  FAIL_POINT: Joi.string()
    .pattern(new RegExp(`^(${FAIL_POINTS.join("|")}):[1-9]\\d*$`))
    .when("NODE_ENV", { is: "test", otherwise: Joi.forbidden() })
    .messages({
      "any.unknown": "FAIL_POINT is for tests alone: it needs NODE_ENV=test",
      "string.pattern.base": `FAIL_POINT must be one of ${FAIL_POINTS.join(", ")}, a colon and a count`,
    }),
};

/** What is nobody's business where strangers may come. */
export const onOutsideProduction = Joi.string()
  .valid("on", "off")
  .when("NODE_ENV", {
    is: "production",
    then: Joi.string().default("off"),
    otherwise: Joi.string().default("on"),
  });
