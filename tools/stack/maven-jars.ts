import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { lastLineOf, run } from "./command.ts";
import { StackFailure } from "./failure.ts";
import { withLock } from "./lock.ts";

const HASH_LENGTH = 12;
const DOWNLOAD_DEADLINE_MS = 600_000;

export interface JarList {
  /** A pom whose runtime dependencies are wanted. */
  readonly pom: string;
  /** Names its folder in the cache. */
  readonly name: string;
  /** What it is, for sentences. */
  readonly title: string;
}

/** The jars, keyed by the pom that lists them: another version is another folder. */
export function jarFolder(cache: string, { pom, name }: JarList): string {
  const hash = createHash("sha256").update(readFileSync(pom)).digest("hex").slice(0, HASH_LENGTH);
  return join(cache, `${name}-${hash}`);
}

/** Lets Maven fetch the jars once. The folder appears under its name only when it is whole. */
export async function fetchJars(
  cache: string,
  list: JarList,
  maven: string,
  onFetch: () => void = () => undefined,
): Promise<string> {
  const folder = jarFolder(cache, list);
  mkdirSync(cache, { recursive: true });
  if (existsSync(folder)) return folder;
  return withLock(`${folder}.lock`, DOWNLOAD_DEADLINE_MS, async () => {
    if (existsSync(folder)) return folder; // the one that we waited for has brought them
    onFetch();
    const unfinished = mkdtempSync(`${folder}.unfinished-`);
    try {
      const goal = [
        "dependency:copy-dependencies",
        "-DincludeScope=runtime",
        `-DoutputDirectory=${unfinished}`,
      ];
      const result = await run(maven, ["-q", "-B", "-f", list.pom, ...goal]);
      if (!result.ok || readdirSync(unfinished).length === 0) {
        throw new StackFailure(`Maven could not fetch ${list.title}: ${lastLineOf(result.output, /ERROR/)}`);
      }
      renameSync(unfinished, folder);
    } finally {
      rmSync(unfinished, { recursive: true, force: true });
    }
    return folder;
  });
}
