import Joi from "joi";
import { isInEnvironment, loadConfig, settingsOf, sharedSettings, StartRefused } from "../config.ts";
import type { Log } from "../domain/ports.ts";
import { fetchSources, NotReadable } from "./client.ts";
import { overlayOf } from "./properties.ts";
import { configServerSettings } from "./settings.ts";

export interface ReadConfig<T> {
  readonly config: Readonly<T>;
  /** Says which settings the server has given, or why it has given none. Names, never values. */
  tell(log: Log): void;
}

/** It chooses the profile, and libraries read it from the environment themselves. */
const ENVIRONMENT_ALONE = "NODE_ENV";
const nodeEnv = Joi.object<{ readonly NODE_ENV: string }>({ NODE_ENV: sharedSettings.NODE_ENV });

/**
 * Settings of the environment and, where it is silent, of the Spring Cloud Config Server that SPRING_CONFIG_URI names, if it names
 * one. A server that cannot be read is a line in the log or, with SPRING_CONFIG_FAIL_FAST, a refusal once it was asked often enough.
 * @throws StartRefused
 */
export async function readConfig<T>(
  schema: Joi.ObjectSchema<T>,
  env: NodeJS.ProcessEnv,
): Promise<ReadConfig<T>> {
  const { SPRING_CONFIG_URI, SPRING_CONFIG_PROFILE, ...server } = loadConfig(configServerSettings, env);
  if (SPRING_CONFIG_URI === undefined) return { config: loadConfig(schema, env), tell: () => undefined };
  const profile = SPRING_CONFIG_PROFILE ?? loadConfig(nodeEnv, env).NODE_ENV;
  const open = [...settingsOf(schema)].filter(
    ([name]) => name !== ENVIRONMENT_ALONE && !isInEnvironment(env, name),
  );
  try {
    const sources = await fetchSources({ ...server, SPRING_CONFIG_URI, SPRING_CONFIG_PROFILE: profile });
    const overlay = overlayOf(sources, new Map(open));
    const settings = [...overlay.keys()];
    return {
      config: loadConfig(schema, env, overlay),
      tell: (log) => {
        const of = { name: server.SPRING_CONFIG_NAME, profile };
        if (sources.length > 0) log.info({ ...of, settings }, "settings taken from the config server");
        else log.warn(of, "the config server has nothing under this name and profile");
      },
    };
  } catch (error) {
    if (!(error instanceof NotReadable)) throw error;
    if (server.SPRING_CONFIG_FAIL_FAST === "true") throw new StartRefused(`${error.message}.`);
    return withoutServer(schema, env, error);
  }
}

function withoutServer<T>(
  schema: Joi.ObjectSchema<T>,
  env: NodeJS.ProcessEnv,
  { message }: NotReadable,
): ReadConfig<T> {
  try {
    const config = loadConfig(schema, env);
    return {
      config,
      tell: (log) => {
        log.warn({}, `${message}; going on with the environment alone`);
      },
    };
  } catch (error) {
    // What is missing is missing for this reason.
    if (error instanceof StartRefused) throw new StartRefused(`${error.message} ${message}.`);
    throw error;
  }
}
