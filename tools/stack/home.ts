import { accessSync, constants, mkdirSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { reason, StackFailure } from "./failure.ts";

/** The folder of the clone, wherever the launcher is called from. */
export const REPOSITORY = resolve(dirname(fileURLToPath(import.meta.url)), "../..");

/** Where the launcher keeps everything: data, logs, ports, secrets. */
export type Home = ReturnType<typeof openHome>;

export function homeFolder(env: NodeJS.ProcessEnv): string {
  return resolve(env["FLASHPAY_HOME"] ?? join(REPOSITORY, ".flashpay"));
}

/** Downloads outlive any one home: `npm test` throws its home away and must not fetch Kafka again each time. */
export function cacheFolder(env: NodeJS.ProcessEnv): string {
  return resolve(env["FLASHPAY_CACHE"] ?? join(homeFolder(env), "cache"));
}

export function openHome(folder: string) {
  const path = resolve(folder);
  const at = (...parts: string[]): string => join(path, ...parts);
  try {
    for (const made of [path, at("log"), at("run")]) mkdirSync(made, { recursive: true, mode: 0o700 });
    accessSync(path, constants.W_OK);
  } catch (error) {
    throw new StackFailure(
      `FlashPay cannot write to its folder ${path} (${reason(error)}): choose another with FLASHPAY_HOME.`,
    );
  }
  return {
    path,
    at,
    log: (name: string) => at("log", `${name}.log`),
    run: (name: string) => at("run", `${name}.json`),
  };
}
