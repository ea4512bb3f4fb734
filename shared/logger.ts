import {
  destination,
  pino,
  stdSerializers,
  stdTimeFunctions,
  type DestinationStream,
  type LoggerOptions,
} from "pino";
import type { Log } from "./domain/ports.ts";

export type LogLevel = "fatal" | "error" | "warn" | "info" | "debug" | "trace" | "silent";

/** What is told of an error beside its type, message and stack. */
const TOLD = ["code", "errno", "sqlState", "syscall", "address", "port"] as const;

export interface ProgramLog extends Log {
  /** The same log, for fields whose names are ours: looking through a line for secrets doubles its cost. */
  readonly plain: Log;
}

/** One JSON object per line on standard output: level, time (ISO 8601), program, fields, msg. */
export function createLogger(
  program: string,
  level: LogLevel,
  output: DestinationStream = destination(1),
): ProgramLog {
  const options: LoggerOptions = {
    level,
    base: { program, pid: process.pid },
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    serializers: { err: serializeError },
    redact: ["*.password", "*.passwordHash", "*.accessToken", "*.authorization", "password", "authorization"],
  };
  const log = pino(options, output);
  return Object.assign(log, { plain: log.child({}, { redact: [] }) });
}

/**
 * Drivers hang the statement and its values on their errors, and clients the command: e-mail addresses, password hashes and
 * keys would be in the log of each outage. What is not named here stays out.
 */
function serializeError(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const { type, message, stack } = stdSerializers.err(error);
  // Sequelize keeps what the server said one level below.
  const { parent } = error as Error & { parent?: unknown };
  const known = Object.fromEntries([parent, error].flatMap((one) => Object.entries(one ?? {})));
  const told = TOLD.flatMap((name) => (known[name] === undefined ? [] : [[name, known[name]]]));
  return { type, message, stack, ...(Object.fromEntries(told) as object) };
}
