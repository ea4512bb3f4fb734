import Joi from "joi";
import { readConfig, type ReadConfig } from "../shared/config-server/read-config.ts";
import { loadConfig, onOutsideProduction, sharedSettings, type SharedSettings } from "../shared/config.ts";

export interface WorkerConfig extends SharedSettings {
  readonly WORKER_HOST: string;
  readonly WORKER_PORT: number;
  readonly WORKER_BATCH_MAX: number;
  readonly PRODUCE_TIMEOUT_MS: number;
  readonly WORKER_SESSION_TIMEOUT_MS: number;
  readonly METRICS: "on" | "off";
}

export const workerSettings = Joi.object<WorkerConfig>({
  ...sharedSettings,
  WORKER_HOST: Joi.string().hostname().default("127.0.0.1"),
  WORKER_PORT: Joi.number().port().default(3001),
  WORKER_BATCH_MAX: Joi.number().integer().min(1).max(5_000).default(1_000),
  PRODUCE_TIMEOUT_MS: Joi.number().integer().min(100).max(5_000).default(900),
  WORKER_SESSION_TIMEOUT_MS: Joi.number().integer().min(1_000).max(30_000).default(10_000),
  METRICS: onOutsideProduction,
});

/** @throws StartRefused with every problem at once */
export const loadWorkerConfig = (env: NodeJS.ProcessEnv = process.env): Readonly<WorkerConfig> =>
  loadConfig(workerSettings, env);

/** The same, with what a Spring Cloud Config Server says where the environment is silent. */
export const readWorkerConfig = (env: NodeJS.ProcessEnv = process.env): Promise<ReadConfig<WorkerConfig>> =>
  readConfig(workerSettings, env);
