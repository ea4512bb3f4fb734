import { isIP } from "node:net";
import Joi from "joi";

/** Settings of the API's edge: who stands in front of it, and which other origins' pages may call it. */

const PROXIES_MAX = 100;
const HOPS_MAX = 10;
const ORIGINS_MAX = 100;
const TOKEN_LIFE_IN_PRODUCTION_MAX_S = 86_400;

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|::1)$/i;
const NO_TLS =
  "TLS_ENDED_BY_PROXY must be yes in production when HOST is not a loopback address, for passwords and tokens may not cross a network without TLS (docs/deployment.md)";
const LOCAL_HTTP = /^http:\/\/(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/;

/** A count of proxies, or their addresses and networks: a number, or a list for Express' "trust proxy". */
export const trustProxy = Joi.string()
  .custom(proxies)
  .default(0)
  .messages({
    "proxies.unknown": `TRUST_PROXY must be a count from 0 to ${HOPS_MAX}, or at most ${PROXIES_MAX} addresses and networks with commas (10.0.0.5,10.1.0.0/16)`,
    "proxies.everybody": "TRUST_PROXY names a network of everybody (/0), who may then claim any address",
  });

/**
 * Nobody but the operator knows whether there is TLS in front. Outside loopback in production it must be said: without it
 * passwords and tokens cross the network for all to read.
 */
export const tlsEndedByProxy = Joi.string()
  .valid("yes", "no")
  .default("no")
  .when("NODE_ENV", {
    is: "production",
    then: Joi.when("HOST", {
      is: Joi.string().pattern(LOOPBACK),
      otherwise: Joi.required()
        .valid(Joi.override, "yes")
        .messages({ "any.only": NO_TLS, "any.required": NO_TLS }),
    }),
  });

/** Origins as browsers send them (RFC 6454 §6.1): anything written otherwise would never match. */
export const corsOrigins = Joi.string()
  .custom(origins)
  .when("NODE_ENV", { is: "production", then: Joi.custom(withTls) })
  .messages({
    "origins.bare": `CORS_ORIGINS must be at most ${ORIGINS_MAX} bare origins with commas, such as https://shop.example`,
    "origins.open": "CORS_ORIGINS may name http:// in production for localhost alone",
  });

/** For JWT_EXPIRES_IN, which is in seconds by then. */
export const shortInProduction = {
  is: "production",
  then: Joi.custom((seconds: number, helpers: Joi.CustomHelpers) =>
    seconds > TOKEN_LIFE_IN_PRODUCTION_MAX_S ? helpers.error("life.long") : seconds,
  ).messages({ "life.long": "JWT_EXPIRES_IN may not be above 24h in production" }),
};

function proxies(text: string, helpers: Joi.CustomHelpers): number | readonly string[] | Joi.ErrorReport {
  if (/^\d{1,2}$/.test(text) && Number(text) <= HOPS_MAX) return Number(text);
  const networks = listOf(text);
  if (networks.length > PROXIES_MAX || !networks.every(isNetwork)) return helpers.error("proxies.unknown");
  return networks.some((network) => /\/0+$/.test(network)) ? helpers.error("proxies.everybody") : networks;
}

function isNetwork(text: string): boolean {
  const [, address = "", bits] = /^([\da-f.:]+)(?:\/(\d{1,3}))?$/i.exec(text) ?? [];
  const family = isIP(address);
  return family !== 0 && Number(bits ?? 0) <= (family === 4 ? 32 : 128);
}

function origins(text: string, helpers: Joi.CustomHelpers): readonly string[] | Joi.ErrorReport {
  const list = listOf(text);
  return list.length <= ORIGINS_MAX && list.every(isBareOrigin) ? list : helpers.error("origins.bare");
}

const isBareOrigin = (text: string): boolean =>
  /^https?:\/\//.test(text) && URL.canParse(text) && new URL(text).origin === text;

function withTls(list: readonly string[], helpers: Joi.CustomHelpers): readonly string[] | Joi.ErrorReport {
  return list.every((origin) => origin.startsWith("https://") || LOCAL_HTTP.test(origin))
    ? list
    : helpers.error("origins.open");
}

const listOf = (text: string): readonly string[] => text.split(",").map((item) => item.trim());
