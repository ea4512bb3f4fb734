import { randomBytes } from "node:crypto";
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";

/** Written whole or not at all, readable by its owner only: most of what the launcher keeps is or holds a secret. */
export function writePrivately(path: string, text: string): void {
  const half = `${path}.${randomBytes(4).toString("hex")}.tmp`;
  writeFileSync(half, text, { mode: 0o600 });
  renameSync(half, path);
}

export function writeJson(path: string, value: unknown): void {
  writePrivately(path, `${JSON.stringify(value, null, 2)}\n`);
}

/** Undefined when the file is missing or no JSON. */
export function readJson(path: string): unknown {
  if (!existsSync(path)) return undefined;
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch {
    return undefined;
  }
}

/** The strings among the fields of a JSON file. */
export function readStrings(path: string): Partial<Record<string, string>> {
  const value = readJson(path);
  if (typeof value !== "object" || value === null) return {};
  return Object.fromEntries(
    Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === "string"),
  );
}
