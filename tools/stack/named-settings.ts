import { fromFiles, StartRefused } from "../../shared/config.ts";
import { StackFailure } from "./failure.ts";

/** What the launcher reads itself, or sets for the programs: each may stand in a file. */
const NAMED = [
  "MYSQL_HOST",
  "MYSQL_PORT",
  "MYSQL_USER",
  "MYSQL_PASSWORD",
  "MYSQL_DATABASE",
  "MYSQL_API_USER",
  "MYSQL_API_PASSWORD",
  "MYSQL_WORKER_USER",
  "MYSQL_WORKER_PASSWORD",
  "REDIS_URL",
  "KAFKA_BROKERS",
  "KAFKA_TOPIC_REPLICATION",
  "JWT_SECRET",
  "HOST",
  "API_DOCS",
  "METRICS",
];

/**
 * The environment with NAME in the place of each NAME_FILE that the launcher knows: it hands the programs values, and a
 * program refuses a setting that it is given twice. Other settings' files are the programs' own to read.
 * @throws StackFailure when a file cannot be read, or the setting is given outright, too
 */
export function withFilesRead(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const files = NAMED.map((name) => `${name}_FILE`);
  const others = Object.entries(env).filter(([name]) => !files.includes(name));
  try {
    return { ...Object.fromEntries(others), ...fromFiles(env, NAMED) };
  } catch (error) {
    throw error instanceof StartRefused ? new StackFailure(error.message) : error;
  }
}
