import Joi from "joi";

/** Settings of a client of Spring Cloud Config; the defaults are those of Spring's own, but for the time-out. */
export interface ConfigServerSettings {
  /** Not set: there is no such server. Several, with commas, are asked in turn. */
  readonly SPRING_CONFIG_URI?: string;
  readonly SPRING_CONFIG_USERNAME?: string;
  readonly SPRING_CONFIG_PASSWORD?: string;
  readonly SPRING_CONFIG_NAME: string;
  /** NODE_ENV, when it is not set. */
  readonly SPRING_CONFIG_PROFILE?: string;
  /** Several, with commas: the first that the server knows. */
  readonly SPRING_CONFIG_LABEL?: string;
  readonly SPRING_CONFIG_FAIL_FAST: "true" | "false";
  readonly SPRING_CONFIG_RETRY_INITIAL_INTERVAL_MS: number;
  readonly SPRING_CONFIG_RETRY_MULTIPLIER: number;
  readonly SPRING_CONFIG_RETRY_MAX_INTERVAL_MS: number;
  readonly SPRING_CONFIG_RETRY_MAX_ATTEMPTS: number;
  /** Of one request, from connecting to the last byte. */
  readonly SPRING_CONFIG_REQUEST_TIMEOUT_MS: number;
}

const uriList = /^https?:\/\/[^\s,]+(\s*,\s*https?:\/\/[^\s,]+)*$/;

/** In the order of .env.example. */
export const configServerSettings = Joi.object<ConfigServerSettings>({
  SPRING_CONFIG_URI: Joi.string().pattern(uriList).custom(parsable).messages({
    "string.pattern.base": "SPRING_CONFIG_URI must be http://host:port or https://…, or several with commas",
    "uri.form": "SPRING_CONFIG_URI holds an address that cannot be read",
  }),
  SPRING_CONFIG_USERNAME: Joi.string(),
  SPRING_CONFIG_PASSWORD: Joi.string(),
  SPRING_CONFIG_NAME: Joi.string().default("flashpay"),
  SPRING_CONFIG_PROFILE: Joi.string(),
  SPRING_CONFIG_LABEL: Joi.string(),
  SPRING_CONFIG_FAIL_FAST: Joi.string().valid("true", "false").default("false"),
  SPRING_CONFIG_RETRY_INITIAL_INTERVAL_MS: Joi.number().integer().min(1).max(60_000).default(1_000),
  SPRING_CONFIG_RETRY_MULTIPLIER: Joi.number().min(1).max(10).default(1.1),
  SPRING_CONFIG_RETRY_MAX_INTERVAL_MS: Joi.number().integer().min(1).max(60_000).default(2_000),
  SPRING_CONFIG_RETRY_MAX_ATTEMPTS: Joi.number().integer().min(1).max(100).default(6),
  SPRING_CONFIG_REQUEST_TIMEOUT_MS: Joi.number().integer().min(10).max(60_000).default(5_000),
});

export const listOf = (text: string): string[] => text.split(",").map((part) => part.trim());

function parsable(value: string, helpers: Joi.CustomHelpers): string | Joi.ErrorReport {
  return listOf(value).every((uri) => URL.canParse(uri)) ? value : helpers.error("uri.form");
}
