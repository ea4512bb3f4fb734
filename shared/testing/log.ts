import type { Log } from "../domain/ports.ts";

export interface LogLine {
  readonly level: keyof Log;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly message: string;
}

/** Keeps every line, in order. */
export function createLogRecorder() {
  const lines: LogLine[] = [];
  const at = (level: keyof Log) => (fields: object, message: string) => {
    lines.push({ level, fields: fields as Record<string, unknown>, message });
  };
  const log: Log = { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
  return { ...log, lines, of: (level: keyof Log) => lines.filter((line) => line.level === level) };
}
export type LogRecorder = ReturnType<typeof createLogRecorder>;
