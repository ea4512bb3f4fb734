import { StartRefused, type Overlay } from "../config.ts";
import type { PropertySource } from "./client.ts";

const PREFIX = /^flashpay[._-]/i;
const INDEX = /\[(\d{1,4})\]$/;
/** The server puts this before a key whose value it could not decrypt. */
const INVALID = /^invalid\./;

interface Bound {
  readonly key: string;
  /** Place in a list, 0 of a single value. */
  readonly index: number;
  readonly value: string | number | boolean;
}

/**
 * Binds keys to settings as Spring's relaxed binding does: `mysql.host`, `mysql-host`, `mysqlHost`, `mysql_host` and `MYSQL_HOST`
 * all mean MYSQL_HOST, each also behind `flashpay.`, which wins over a key without it. A list (`kafka.brokers[0]`, …) becomes one
 * text with commas. The first source that has a setting decides; keys that mean no wanted setting are somebody else's.
 * @throws StartRefused when a value is not the value yet
 */
export function overlayOf(
  sources: readonly PropertySource[],
  wanted: ReadonlyMap<string, readonly unknown[]>,
): Overlay {
  const settings = new Map([...wanted.keys()].map((name) => [plain(name), name]));
  const overlay = new Map<string, { value: string; source: string }>();
  const problems: string[] = [];
  for (const { name: source, source: properties } of sources) {
    for (const [name, bound] of bind(properties, settings)) {
      if (overlay.has(name)) continue;
      const [{ key }] = bound;
      const value = bound
        .toSorted((a, b) => a.index - b.index)
        .map((one) => textOf(one.value, wanted.get(name)))
        .join(",");
      const where = `${key} of ${withoutCredentials(source)}`;
      const problem = problemOf(key, value);
      if (problem !== undefined) problems.push(`${name} ${problem} (in ${where})`);
      overlay.set(name, { value, source: where });
    }
  }
  if (problems.length > 0) throw new StartRefused(`Settings refused: ${problems.join("; ")}.`);
  return overlay;
}

function bind(
  properties: PropertySource["source"],
  settings: ReadonlyMap<string, string>,
): Map<string, [Bound, ...Bound[]]> {
  const found = new Map<string, [Bound, ...Bound[]]>();
  // Stable: what stands behind the prefix comes first.
  const keys = Object.keys(properties).sort((a, b) => Number(isPrefixed(b)) - Number(isPrefixed(a)));
  for (const key of keys) {
    const name = settings.get(plain(bare(key)));
    const value = properties[key];
    // An empty value means none, as an empty variable does.
    if (name === undefined || value === undefined || value === null || value === "") continue;
    const bound = { key, index: Number(INDEX.exec(key)?.[1] ?? 0), value };
    const others = found.get(name);
    if (!others) found.set(name, [bound]);
    else if (isInList(others[0].key, key)) others.push(bound);
  }
  return found;
}

/** YAML reads a bare `on` and `yes` as true, and `off` and `no` as false. */
function textOf(value: Bound["value"], allowed: readonly unknown[] = []): string {
  if (typeof value !== "boolean") return String(value);
  return (value ? ["on", "yes"] : ["off", "no"]).find((word) => allowed.includes(word)) ?? String(value);
}

/** A value that only looks like one would end in a refusal that nobody understands, or worse, in none. */
function problemOf(key: string, value: string): string | undefined {
  if (INVALID.test(key)) return "could not be decrypted by the config server";
  if (value.startsWith("{cipher}")) return "is encrypted, and the config server does not decrypt it";
  if (value.includes("${")) return "holds a placeholder, which is not filled in";
  return undefined;
}

const unspoilt = (key: string): string => key.replace(INVALID, "");
const isPrefixed = (key: string): boolean => PREFIX.test(unspoilt(key));
const bare = (key: string): string => unspoilt(key).replace(PREFIX, "").replace(INDEX, "");
const plain = (name: string): string => name.replaceAll(/[._-]/g, "").toLowerCase();
const isInList = (first: string, key: string): boolean =>
  INDEX.test(first) && INDEX.test(key) && first.replace(INDEX, "") === key.replace(INDEX, "");

/** Git's sources are named by their address. */
const withoutCredentials = (source: string): string => source.replaceAll(/\/\/[^/@\s]*@/g, "//");
