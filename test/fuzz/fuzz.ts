import { readFileSync } from "node:fs";
import { broken, openSandbox } from "../support/sandbox.ts";
import type { Addresses } from "../support/servers.ts";
import { fuzzBytes } from "./bytes-phase.ts";
import { fuzzMessages } from "./messages-phase.ts";
import { fuzzRequests } from "./requests-phase.ts";
import { growthOfLastHalf, type Samples } from "./memory.ts";
import { residentBytes, type FuzzSite, type FuzzWish } from "./site.ts";

export interface FuzzOutcome {
  /** How often each answer came: "200", "400 validation_failed". */
  readonly answers: ReadonlyMap<string, number>;
  /** Sentences; empty when nothing broke and nothing changed that should not. */
  readonly problems: readonly string[];
  /** Bytes that a program keeps in memory, after each batch of its work and after all of it. */
  readonly resident: Readonly<Record<"api" | "worker", Samples>>;
}

const BUYERS = 20;
const STOCK = 1_000_000;
/** From the first tenth of the work to its end. */
const MEMORY_GROWTH_MAX_BYTES = 100 * 1024 * 1024;
/** Over its last half, when a heap has found its size. */
const MEMORY_GROWTH_LATE_MAX_BYTES = 32 * 1024 * 1024;
const PROBLEMS_SHOWN_MAX = 20;

/** Random requests, bytes and messages against the real programs, and what came of it. */
export async function fuzz(wish: FuzzWish, servers?: Addresses): Promise<FuzzOutcome> {
  const sandbox = await openSandbox(servers);
  try {
    const api = await sandbox.start("api", { env: { LOG_LEVEL: "info" } });
    const http = sandbox.client(api);
    const site: FuzzSite = {
      ...{ sandbox, api, http, problems: [], answers: new Map() },
      buyers: await sandbox.users(BUYERS),
      sale: await sandbox.openSale(http, { stock: STOCK, perUserLimit: 100 }),
    };
    const onApi = await fuzzRequests(site, wish);
    await fuzzBytes(site, wish);
    const worker = await sandbox.start("worker", { env: { LOG_LEVEL: "info" } });
    const onWorker = await fuzzMessages(site, worker, wish);
    const resident = {
      api: [...onApi, residentBytes(api)],
      worker: [...onWorker, residentBytes(worker)],
    };
    await judge(site, resident);
    return { ...site, resident, problems: site.problems.slice(0, PROBLEMS_SHOWN_MAX) };
  } finally {
    await sandbox.close();
  }
}

async function judge(
  { sandbox, http, problems }: FuzzSite,
  resident: FuzzOutcome["resident"],
): Promise<void> {
  const { status } = await http.get("/healthz");
  if (status !== 200) problems.push(`the API's health answers ${status}`);
  for (const program of ["api", "worker"] as const) {
    problems.push(...flawsOf(readFileSync(sandbox.home.log(program), "utf8"), program));
    const samples = resident[program];
    const late = growthOfLastHalf(samples) ?? 0;
    if (late > MEMORY_GROWTH_LATE_MAX_BYTES)
      problems.push(`the ${program} has come to keep ${late} bytes more over the last half of the work`);
    const [warm, after] = [warmOf(samples), samples.at(-1) ?? 0];
    if (after - warm > MEMORY_GROWTH_MAX_BYTES)
      problems.push(`the ${program} keeps ${after - warm} bytes more after the work than early in it`);
  }
  for (const finding of broken(await sandbox.verify("--allow-failed")))
    problems.push(`verify: ${JSON.stringify(finding)}`);
}

/** After the first tenth. */
export const warmOf = (samples: Samples): number => samples[Math.floor((samples.length - 1) / 10)] ?? 0;

/** What is wrong with a log: a line that is no JSON object, or one that tells of a bug. */
function flawsOf(log: string, program: string): string[] {
  return log
    .trimEnd()
    .split("\n")
    .flatMap((line) => {
      const entry = parsed(line);
      if (!entry) return [`the ${program}'s log has a line that is no JSON object: ${line.slice(0, 200)}`];
      return /bug/.test(entry.msg ?? "") ? [`the ${program} logs a bug: ${line.slice(0, 800)}`] : [];
    });
}

function parsed(line: string): { readonly msg?: string } | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}
