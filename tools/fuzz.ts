import { join } from "node:path";
import { parseArgs } from "node:util";
import { fuzz, warmOf, type FuzzOutcome } from "../test/fuzz/fuzz.ts";
import { growthOfLastHalf } from "../test/fuzz/memory.ts";
import { sharedServers } from "../test/support/servers.ts";
import { openPrivateRun } from "./stack/private-run.ts";
import { removeAbandonedHomes } from "./stack/test-home.ts";
import { startTestServers } from "./stack/test-servers.ts";

const HELP = `npm run test:fuzz: random requests to every route of the OpenAPI document, random bytes on sockets, random messages on the topic.

  npm run test:fuzz -- --requests 100000 --messages 20000
    --requests N       (100000)
    --messages N       (20000)
    --connections N    with random bytes (2000)
    --seed S           the same seed draws the same; without it one is chosen, and printed

Prints the answers by status and what was kept in memory. Exit code 1 when a program crashed, answered 500, logged what is
no JSON, or when anything changed that no answer told of.
`;
const SEED_END = 1_000_000;
const MEGABYTE = 1_024 * 1_024;

const { values: flags } = parseArgs({
  options: {
    requests: { type: "string", default: "100000" },
    messages: { type: "string", default: "20000" },
    connections: { type: "string", default: "2000" },
    seed: { type: "string" },
    help: { type: "boolean", short: "h", default: false },
  },
});
if (flags.help) {
  process.stdout.write(HELP);
  process.exit(0);
}
const { report, temporary, env } = openPrivateRun();
process.exit((await main()) ? 0 : 1);

async function main(): Promise<boolean> {
  await removeAbandonedHomes(report);
  const seed = flags.seed === undefined ? Math.floor(Math.random() * SEED_END) : whole("seed", flags.seed);
  process.stdout.write(`seed ${seed}\n`);
  const servers = await startTestServers({ home: join(temporary, "servers"), env, report });
  // What the sandbox puts into temporary folders goes with this run's.
  Object.assign(process.env, servers.env);
  try {
    const wish = {
      ...{ seed, report, requests: whole("requests", flags.requests) },
      ...{
        messages: whole("messages", flags.messages),
        connections: whole("connections", flags.connections),
      },
    };
    const outcome = await fuzz(wish, sharedServers());
    process.stdout.write(inWords(outcome));
    return outcome.problems.length === 0;
  } finally {
    await servers.stop();
  }
}

function inWords({ answers, problems, resident }: FuzzOutcome): string {
  const counts = [...answers].sort(([a], [b]) => a.localeCompare(b));
  return [
    ...counts.map(([answer, times]) => `${String(times).padStart(8)}  ${answer}`),
    ...(["api", "worker"] as const).map((program) => {
      const samples = resident[program];
      const [warm, after, late] = [warmOf(samples), samples.at(-1) ?? 0, growthOfLastHalf(samples) ?? 0].map(
        (bytes) => `${Math.round(bytes / MEGABYTE)} MB`,
      );
      return `${program}: ${warm ?? ""} resident after a tenth, ${after ?? ""} in the end; ${late ?? ""} by the slope of the last half`;
    }),
    ...problems,
    `${problems.length} problems\n`,
  ].join("\n");
}

function whole(name: string, text: string): number {
  const number = Number(text);
  if (Number.isSafeInteger(number) && number >= 0) return number;
  process.stderr.write(`--${name} must be a whole number.\n`);
  process.exit(1);
}
