import { parseArgs } from "node:util";
import { MUTANTS } from "./mutants/catalogue.ts";
import type { Mutant } from "./mutants/mutant.ts";
import { createTrials, type Trial } from "./mutants/trial.ts";
import { cacheFolder } from "./stack/home.ts";
import { killEverything, stopEverything } from "./stack/registry.ts";
import { createReport } from "./stack/report.ts";
import { onStopWish } from "./stack/signals.ts";
import { makeTestHome, removeTestHome } from "./stack/test-home.ts";
import { cleanEnvironment, needsServers } from "./stack/test-runs.ts";
import { startTestServers } from "./stack/test-servers.ts";

const HELP = `npm run test:mutants: plants known bugs, one at a time, in copies of the tree, and runs the tests that should notice.

  npm run test:mutants -- M1 M12      these only
  npm run test:mutants -- --list      what there is, and which tests should notice
  npm run test:mutants -- --jobs 4    so many at once of those that need no servers (2)

The last line is "N of N caught"; the exit code is 1 when one is missed.
`;
const INTERRUPTED = 130;
const JOBS_DEFAULT = "2";
const ID_WIDTH = 4;

const { values: flags, positionals: named } = parseArgs({
  allowPositionals: true,
  options: {
    list: { type: "boolean", default: false },
    jobs: { type: "string", default: JOBS_DEFAULT },
    help: { type: "boolean", short: "h", default: false },
  },
});
const jobs = Number(flags.jobs);
const unknown = named.filter((id) => !MUTANTS.some((mutant) => mutant.id === id));
const chosen = named.length === 0 ? MUTANTS : MUTANTS.filter(({ id }) => named.includes(id));

if (flags.help) finish(HELP, 0);
if (unknown.length > 0) finish(`There is no mutant ${unknown.join(", ")}: see --list.\n`, 1);
if (!Number.isInteger(jobs) || jobs < 1) finish("--jobs takes a number from 1.\n", 1);
if (flags.list) finish(chosen.map(described).join(""), 0);

const { path: home, temporary } = makeTestHome();
process.on("exit", () => {
  killEverything();
  removeTestHome(home);
});
onStopWish(() => {
  void stopEverything().then(() => process.exit(INTERRUPTED));
});
const report = createReport((line) => process.stdout.write(line));
const environment = {
  ...cleanEnvironment(process.env),
  FLASHPAY_CACHE: cacheFolder(process.env),
  TMPDIR: temporary,
};

const verdicts = [
  ...(await attemptAll(
    chosen.filter(({ specs }) => !specs.some(needsServers)),
    jobs,
    environment,
  )),
  ...(await attemptOnServers(chosen.filter(({ specs }) => specs.some(needsServers)))),
];
const caught = verdicts.filter((verdict) => verdict).length;
finish(`${caught} of ${chosen.length} caught\n`, caught === chosen.length ? 0 : 1);

/** One at a time: their specs share the servers' topic and group. */
async function attemptOnServers(mutants: readonly Mutant[]): Promise<boolean[]> {
  if (mutants.length === 0) return [];
  const servers = await startTestServers({ home, env: environment, report });
  try {
    return await attemptAll(mutants, 1, servers.env);
  } finally {
    await servers.stop();
  }
}

/** @returns whether each was caught */
async function attemptAll(
  mutants: readonly Mutant[],
  atOnce: number,
  env: NodeJS.ProcessEnv,
): Promise<boolean[]> {
  const { attempt } = createTrials(temporary, env);
  const waiting = [...mutants];
  const results: boolean[] = [];
  const work = async (): Promise<void> => {
    for (let mutant = waiting.shift(); mutant; mutant = waiting.shift()) {
      const trial = await attempt(mutant);
      report(sentence(mutant, trial));
      results.push(trial.caught);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  return results;
}

function sentence({ id, title }: Mutant, trial: Trial): string {
  const name = `${id.padEnd(ID_WIDTH)}${title}`;
  const seconds = `${trial.seconds.toFixed(1)} s`;
  if (!trial.caught) return `${name}: MISSED (${seconds}): ${trial.why}`;
  const [first, ...others] = trial.by;
  const more = others.length > 0 ? `, and ${others.length} more` : "";
  return `${name}: caught (${seconds}) by "${first ?? ""}"${more}`;
}

function described({ id, title, specs, grep }: Mutant): string {
  return `${id.padEnd(ID_WIDTH)}${title}: ${specs.join(", ")}${grep === undefined ? "" : ` --grep "${grep}"`}\n`;
}

function finish(text: string, code: number): never {
  process.stdout.write(text);
  process.exit(code);
}
