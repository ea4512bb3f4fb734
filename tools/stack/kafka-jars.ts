import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { REPOSITORY } from "./home.ts";
import * as maven from "./maven-jars.ts";
import type { Report } from "./report.ts";

const BROKER = {
  pom: join(REPOSITORY, "docker/kafka/pom.xml"),
  name: "kafka",
  title: "Apache Kafka",
} as const;

export function jarsAreCached(cache: string): boolean {
  return existsSync(maven.jarFolder(cache, BROKER));
}

/** The version that the pom pins, for the progress line. */
export function kafkaVersion(): string {
  const pom = readFileSync(BROKER.pom, "utf8");
  return /<artifactId>kafka_[\d.]+<\/artifactId>\s*<version>([^<]+)</.exec(pom)?.[1] ?? "?";
}

/** The broker's jars, in the cache from the first time on. */
export function fetchJars(cache: string, mvn: string, report: Report): Promise<string> {
  return maven.fetchJars(cache, BROKER, mvn, () => {
    report(`fetching Apache Kafka ${kafkaVersion()} with Maven (about 45 MB, once)`);
  });
}
