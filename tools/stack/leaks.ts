import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

/** Planted secrets by name. */
export type Secrets = Readonly<Record<string, string>>;

/** What belongs into no log, whoever made it. */
const PATTERNS: Readonly<Record<string, RegExp>> = {
  "a password's hash": /\$2[aby]\$\d\d\$[./A-Za-z0-9]{20}/,
  "an access token": /eyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{20,}/,
};

/** Names of the planted secrets that a text holds. */
export function secretsIn(text: string, secrets: Secrets): string[] {
  return Object.entries(secrets).flatMap(([name, secret]) =>
    secret !== "" && text.includes(secret) ? [name] : [],
  );
}

/** Sentences on what a text holds. */
export const leaksIn = (where: string, text: string, secrets: Secrets): string[] =>
  secretsIn(text, secrets).map((what) => `${where} holds ${what}`);

const LOG_BYTES_MAX = 256 * 1024 * 1024;

/** The same of every log below a folder, at any depth: files in folders named log, never the data of servers. */
export function leaksBelow(folder: string, secrets: Secrets): string[] {
  if (!existsSync(folder)) return [];
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((file) =>
    /(^|\/)logs?\/[^/]+$/.test(file),
  );
  return files.flatMap((file) => {
    const { size } = statSync(join(folder, file));
    if (size > LOG_BYTES_MAX) return [`${file} is too long to be searched`];
    return leaksIn(file, readFileSync(join(folder, file), "utf8"), secrets);
  });
}

/** Sentences on each secret in each log of a folder; empty when none leaked, or no program has run. */
export function leaksInLogs(folder: string, secrets: Secrets): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder).flatMap((name) => {
    const text = readFileSync(join(folder, name), "utf8");
    const patterns = Object.entries(PATTERNS).flatMap(([what, pattern]) =>
      pattern.test(text) ? [what] : [],
    );
    return [...secretsIn(text, secrets), ...patterns].map((what) => `${name} holds ${what}`);
  });
}

/** The same for what every user of a machine can read of a process: its command line. */
export function leaksInTitle(pid: number | undefined, secrets: Secrets): string[] {
  const file = `/proc/${String(pid)}/cmdline`;
  if (pid === undefined || !existsSync(file)) return [];
  return secretsIn(readFileSync(file, "utf8"), secrets).map((what) => `a process title holds ${what}`);
}
