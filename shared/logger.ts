import { pino, stdTimeFunctions } from "pino";
import type { Log } from "./domain/ports.ts";

export type LogLevel = "fatal" | "error" | "warn" | "info" | "debug" | "trace" | "silent";

/** One JSON object per line on standard output: level, time (ISO 8601), program, fields, msg. */
export function createLogger(program: string, level: LogLevel): Log {
  return pino({
    level,
    base: { program, pid: process.pid },
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    redact: ["*.password", "*.passwordHash", "*.accessToken", "*.authorization", "password", "authorization"],
  });
}
