import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { lastLineOf, run } from "../stack/command.ts";
import { StackFailure } from "../stack/failure.ts";
import { REPOSITORY } from "../stack/home.ts";
import type { Jmeter } from "./install.ts";
import type { Options } from "./options.ts";

const PLAN = join(REPOSITORY, "jmeter/flash-sale.jmx");
/** Beyond the set time: starting, the plan's own half a minute, ending. */
const GRACE_MS = 120_000;
const REPORT_DEADLINE_MS = 300_000;
/** The report's graphs in steps of a second: its own minute would make one point of a run. */
const REPORT_STEP_MS = 1_000;

/** What the plan asks for, as JMeter's -J arguments. */
export function planProperties(
  apiUrl: string,
  productId: number,
  csv: string,
  { rate, duration, users, threads }: Pick<Options, "rate" | "duration" | "users" | "threads">,
): string[] {
  const { protocol, hostname, port } = new URL(apiUrl);
  const scheme = protocol.replace(":", "");
  const properties = {
    protocol: scheme,
    host: hostname,
    port: port || (scheme === "https" ? "443" : "80"),
    productId,
    csv,
    users,
    rate,
    duration,
    threads,
  };
  return Object.entries(properties).map(([name, value]) => `-J${name}=${String(value)}`);
}

/** Runs the plan to its end without a window; the text of its results. */
export async function runPlan(
  jmeter: Jmeter,
  folder: string,
  properties: readonly string[],
  durationS: number,
): Promise<string> {
  const results = join(folder, "results.jtl");
  const log = join(folder, "jmeter.log");
  const ending = await run(
    jmeter.command,
    [
      ...[...jmeter.args, "-n", "-t", PLAN, "-l", results, "-j", log],
      ...properties,
      "-Jsample_variables=outcome",
      "-Jjmeter.save.saveservice.output_format=csv",
      "-Jjmeter.save.saveservice.timestamp_format=ms",
      "-Jjmeter.save.saveservice.url=false",
      "-Jsummariser.name=",
      "-Jjmeterengine.force.system.exit=true",
    ],
    { env: jmeter.env, cwd: folder, deadlineMs: durationS * 1_000 + GRACE_MS },
  );
  // JMeter ends with 0 also when it could not read its plan.
  if (ending.ok && existsSync(results)) return readFileSync(results, "utf8");
  const said = lastLineOf(ending.output, /rror|Exception|not found/);
  throw new StackFailure(
    `JMeter did not run the plan${said === "" ? "" : `, saying "${said}"`}; its log is ${log}.`,
  );
}

/** Its HTML report; made after everything was measured, since it takes a core for some seconds. */
export async function makeReport(jmeter: Jmeter, folder: string): Promise<string> {
  const report = join(folder, "report");
  const ending = await run(
    jmeter.command,
    [
      ...[...jmeter.args, "-g", join(folder, "results.jtl"), "-o", report, "-j", join(folder, "report.log")],
      "-Jsample_variables=outcome",
      `-Jjmeter.reportgenerator.overall_granularity=${String(REPORT_STEP_MS)}`,
      `-Jjmeter.reportgenerator.temp_dir=${join(folder, "report-temp")}`,
      "-Jjmeterengine.force.system.exit=true",
    ],
    { env: jmeter.env, cwd: folder, deadlineMs: REPORT_DEADLINE_MS },
  );
  const page = join(report, "index.html");
  if (ending.ok && existsSync(page)) return page;
  throw new StackFailure(`JMeter made no report: ${lastLineOf(ending.output, /rror|Exception/)}`);
}
