import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { lastLineOf, run } from "./command.ts";
import { StackFailure } from "./failure.ts";
import { REPOSITORY } from "./home.ts";
import { withLock } from "./lock.ts";
import type { Report } from "./report.ts";

const POM = join(REPOSITORY, "docker/kafka/pom.xml");
const HASH_LENGTH = 12;
const DOWNLOAD_DEADLINE_MS = 600_000;

/** The broker's jars, keyed by the pom that lists them: another version is another folder. */
export function jarFolder(cache: string): string {
  const hash = createHash("sha256").update(readFileSync(POM)).digest("hex").slice(0, HASH_LENGTH);
  return join(cache, `kafka-${hash}`);
}

export function jarsAreCached(cache: string): boolean {
  return existsSync(jarFolder(cache));
}

/** The version that the pom pins, for the progress line. */
export function kafkaVersion(): string {
  return (
    /<artifactId>kafka_[\d.]+<\/artifactId>\s*<version>([^<]+)</.exec(readFileSync(POM, "utf8"))?.[1] ?? "?"
  );
}

/** Lets Maven fetch the jars once. The folder appears under its name only when it is whole. */
export async function fetchJars(cache: string, maven: string, report: Report): Promise<string> {
  const folder = jarFolder(cache);
  mkdirSync(cache, { recursive: true });
  if (existsSync(folder)) return folder;
  return withLock(`${folder}.lock`, DOWNLOAD_DEADLINE_MS, async () => {
    if (existsSync(folder)) return folder; // the launcher that we waited for has brought them
    report(`fetching Apache Kafka ${kafkaVersion()} with Maven (about 45 MB, once)`);
    const unfinished = mkdtempSync(`${folder}.unfinished-`);
    try {
      const goal = [
        "dependency:copy-dependencies",
        "-DincludeScope=runtime",
        `-DoutputDirectory=${unfinished}`,
      ];
      const result = await run(maven, ["-q", "-B", "-f", POM, ...goal]);
      if (!result.ok || readdirSync(unfinished).length === 0) {
        throw new StackFailure(`Maven could not fetch Apache Kafka: ${lastLineOf(result.output, /ERROR/)}`);
      }
      renameSync(unfinished, folder);
    } finally {
      rmSync(unfinished, { recursive: true, force: true });
    }
    return folder;
  });
}
