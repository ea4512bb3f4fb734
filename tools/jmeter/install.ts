import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { lastLineOf, run } from "../stack/command.ts";
import { StackFailure } from "../stack/failure.ts";
import { findAll, findPrograms, searchPath } from "../stack/find-programs.ts";
import { cacheFolder, REPOSITORY } from "../stack/home.ts";
import { withLock } from "../stack/lock.ts";
import type { Report } from "../stack/report.ts";
import { compareVersions } from "../stack/versions.ts";

const POM = join(REPOSITORY, "jmeter/pom.xml");
const HASH_LENGTH = 12;
const DOWNLOAD_DEADLINE_MS = 600_000;
const VERSION_DEADLINE_MS = 30_000;
/** Its PreciseThroughputTimer is exact, and OpenModel plans load. */
const JMETER_MIN = "5.6";
/** JMeter 6 is not known yet to read this plan. */
const JMETER_BELOW = "6";

/**
 * The load comes from the machine that it is measured on. The quick compiler and the plain collector cost JMeter a quarter
 * of a core at 500 orders a second, the defaults twice that, most of it in the first seconds (jmeter/README.md).
 */
const HEAP = ["-Xms256m", "-Xmx1g"];
const COLLECTOR = ["-XX:+UseSerialGC"];
const COMPILER = ["-XX:TieredStopAtLevel=1", "-Djava.awt.headless=true"];

/** How to call JMeter: its own arguments come after these. */
export type Jmeter = { label: string; command: string; args: readonly string[]; env: NodeJS.ProcessEnv };

/** The jmeter on the PATH when it is new enough, else the one that Maven lays out once. */
export async function findJmeter(env: NodeJS.ProcessEnv, report: Report): Promise<Jmeter> {
  const folders = searchPath(env);
  const jvmEnvironment = { ...env, ...scriptSettings() };
  for (const command of findAll(folders, "jmeter")) {
    const version = await versionOf(command, jvmEnvironment);
    if (isUsable(version))
      return { label: `JMeter ${version} (${command})`, command, args: [], env: jvmEnvironment };
  }
  const { java, maven } = await findPrograms(folders, env);
  if (java === undefined) throw new StackFailure("JMeter needs Java 17 or newer (java): install it.");
  const home = await layOut(cacheFolder(env), maven, report);
  const args = [...HEAP, ...COLLECTOR, ...COMPILER, "-jar", join(home, "bin/ApacheJMeter.jar")];
  return { label: `JMeter ${pinnedVersion()} from Maven artifacts`, command: java, args, env };
}

/** Its start script takes the heap and the collector apart: two collectors named at once, and Java does not start. */
function scriptSettings(): NodeJS.ProcessEnv {
  const [heap, collector] = [HEAP.join(" "), COLLECTOR.join(" ")];
  return {
    ...{ HEAP: heap, GC_ALGO: collector, JVM_ARGS: COMPILER.join(" ") },
    ...{ JMETER_HEAP: heap, JMETER_GC_ALGO: collector }, // the same, in some releases
  };
}

export function isUsable(version: string): boolean {
  return compareVersions(version, JMETER_MIN) >= 0 && compareVersions(version, JMETER_BELOW) < 0;
}

/** From its banner; "0" when it says none. */
async function versionOf(command: string, env: NodeJS.ProcessEnv): Promise<string> {
  const { output } = await run(command, ["--version"], { env, deadlineMs: VERSION_DEADLINE_MS });
  return /\s(\d+\.\d+(?:\.\d+)?)\s*$/m.exec(output)?.[1] ?? "0";
}

function pinnedVersion(): string {
  return /<jmeter\.version>([^<]+)</.exec(readFileSync(POM, "utf8"))?.[1] ?? "?";
}

/** Lets Maven fetch it once, keyed by the pom. The folder appears under its name only when it is whole. */
async function layOut(cache: string, maven: string | undefined, report: Report): Promise<string> {
  const hash = createHash("sha256").update(readFileSync(POM)).digest("hex").slice(0, HASH_LENGTH);
  const folder = join(cache, `jmeter-${hash}`);
  mkdirSync(cache, { recursive: true });
  if (existsSync(folder)) return folder;
  if (maven === undefined)
    throw new StackFailure(
      "JMeter is fetched with Apache Maven (mvn): install it, or put a jmeter 5.6 on the PATH.",
    );
  return withLock(`${folder}.lock`, DOWNLOAD_DEADLINE_MS, async () => {
    if (existsSync(folder)) return folder; // the neighbour that we waited for has brought it
    report(`fetching Apache JMeter ${pinnedVersion()} with Maven (about 70 MB, once)`);
    const unfinished = mkdtempSync(`${folder}.unfinished-`);
    try {
      const result = await run(maven, ["-q", "-B", "-f", POM, "package", `-Djmeter.home=${unfinished}`]);
      if (!result.ok || !existsSync(join(unfinished, "bin/ApacheJMeter.jar"))) {
        throw new StackFailure(`Maven could not fetch Apache JMeter: ${lastLineOf(result.output, /ERROR/)}`);
      }
      mkdirSync(join(unfinished, "lib/junit"), { recursive: true }); // it complains without one
      renameSync(unfinished, folder);
    } finally {
      rmSync(unfinished, { recursive: true, force: true });
    }
    return folder;
  });
}
