import { join } from "node:path";
import { parseArgs } from "node:util";
import { header, line, totals } from "../test/faults/report.ts";
import { soak } from "../test/faults/soak/soak.ts";
import { buildIfNeeded } from "./stack/build.ts";
import { REPOSITORY } from "./stack/home.ts";
import { openPrivateRun } from "./stack/private-run.ts";
import { removeAbandonedHomes } from "./stack/test-home.ts";

const HELP = `npm run test:soak: random faults on everything while buyers buy; then calm, and every order is counted.

  npm run test:soak -- --minutes 60
    --minutes N        how long (60)
    --seed S           the same seed brings the same faults about; without it one is chosen, and printed
    --rate R           orders in a second, over all sales (60)
    --with-data-loss   Redis may be emptied, too; accepted orders that turn FAILED are then counted, and no miss

Exit code 1 when anything was lost, doubled, oversold, leaked or wrong.
`;
const SEED_END = 1_000_000;
const MINUTE_MS = 60_000;

const { values: flags } = parseArgs({
  options: {
    minutes: { type: "string", default: "60" },
    seed: { type: "string" },
    rate: { type: "string", default: "60" },
    "with-data-loss": { type: "boolean", default: false },
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
  await buildIfNeeded(env, report);
  const seed = flags.seed === undefined ? Math.floor(Math.random() * SEED_END) : above0("seed", flags.seed);
  process.stdout.write(`seed ${String(seed)}\n`);
  const outcome = await soak({
    ...{ seed, env, report, withDataLoss: flags["with-data-loss"] },
    lengthMs: above0("minutes", flags.minutes) * MINUTE_MS,
    perSecond: above0("rate", flags.rate),
    folder: join(temporary, "soak"),
    keep: join(REPOSITORY, `.flashpay/soak/${String(seed)}`),
  });
  process.stdout.write(`${header()}\n${line(outcome)}\n${totals([outcome])}\n`);
  return outcome.misses.length === 0;
}

function above0(name: string, text: string): number {
  const number = Number(text);
  if (number > 0) return number;
  process.stderr.write(`--${name} must be a number above 0.\n`);
  process.exit(1);
}
