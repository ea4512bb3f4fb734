import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { Failure } from "../test/faults/failure.ts";
import { header, line, totals } from "../test/faults/report.ts";
import { runFailure, type Outcome } from "../test/faults/runner.ts";
import { chosen, FAILURES } from "../test/faults/table.ts";
import { buildIfNeeded } from "./stack/build.ts";
import { REPOSITORY } from "./stack/home.ts";
import { openPrivateRun } from "./stack/private-run.ts";
import { removeAbandonedHomes } from "./stack/test-home.ts";

const HELP = `npm run test:faults: brings failures about under load, each on servers of its own, and counts what became of the orders.

  npm run test:faults                       all of them
  npm run test:faults -- F2 F14             these only
  npm run test:faults -- --list             what there is
    --orders N      orders placed under each failure, at least (3500)
    --seeds N       runs each failure N times, with one seed after the other (1)
    --seed S        the first seed; without it one is chosen, and printed
    --parallel N    so many failures at once (1)
    --brief         shorter outages and fewer kills, as in npm test
    --json FILE     writes everything that was measured

Exit code 1 when anything was lost, doubled, oversold, leaked or wrong, or came back later than promised.
`;
const SEED_END = 1_000_000;

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    orders: { type: "string", default: "3500" },
    seeds: { type: "string", default: "1" },
    seed: { type: "string" },
    parallel: { type: "string", default: "1" },
    brief: { type: "boolean", default: false },
    json: { type: "string" },
    list: { type: "boolean", default: false },
    help: { type: "boolean", short: "h", default: false },
  },
});
if (flags.help || flags.list) {
  const list = FAILURES.map(({ id, title }) => `${id.padEnd(5)}${title}\n`).join("");
  process.stdout.write(flags.help ? HELP : list);
  process.exit(0);
}
const { report, temporary, env } = openPrivateRun();
process.exit((await main()) ? 0 : 1);

async function main(): Promise<boolean> {
  const failures = chosen(positionals);
  await removeAbandonedHomes(report);
  await buildIfNeeded(env, report);
  const first = Number(flags.seed ?? Math.floor(Math.random() * SEED_END));
  const runs = Array.from({ length: wholeNumber("seeds") }, (_, i) => first + i).flatMap((seed) =>
    failures.map((failure) => ({ failure, seed })),
  );
  process.stdout.write(`seed ${String(first)}\n${header()}\n`);
  const outcomes: Outcome[] = [];
  const lane = async (): Promise<void> => {
    for (let next = runs.shift(); next; next = runs.shift()) outcomes.push(await runOne(next));
  };
  await Promise.all(Array.from({ length: wholeNumber("parallel") }, lane));
  process.stdout.write(`${totals(outcomes)}\n`);
  if (flags.json !== undefined)
    writeFileSync(flags.json, `${JSON.stringify({ seed: first, outcomes }, null, 2)}\n`);
  return outcomes.every(({ misses }) => misses.length === 0);
}

async function runOne({ failure, seed }: { failure: Failure; seed: number }): Promise<Outcome> {
  const outcome = await runFailure(failure, {
    ...{ orders: wholeNumber("orders"), brief: flags.brief, seed, folder: temporary, env, report },
    keepLogs: join(REPOSITORY, ".flashpay/faults"),
  });
  process.stdout.write(`${line(outcome)}\n`);
  return outcome;
}

function wholeNumber(name: "orders" | "seeds" | "parallel"): number {
  const number = Number(flags[name]);
  if (Number.isInteger(number) && number > 0) return number;
  process.stderr.write(`--${name} must be a whole number above 0.\n`);
  process.exit(1);
}
