import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { prepareBuyers } from "./bench/buyers.ts";
import { describeMachine } from "./bench/machine.ts";
import { HELP, parseOptions, type Options } from "./bench/options.ts";
import type { Bench } from "./bench/bench-run.ts";
import type { Round } from "./bench/order-round.ts";
import { textOf } from "./bench/present.ts";
import { caseResult, complaintsOf, type CaseResult, type Results } from "./bench/results.ts";
import { casesOf, type Case } from "./bench/scenarios.ts";
import { openSite } from "./bench/site.ts";
import { StackFailure } from "./stack/failure.ts";
import { REPOSITORY } from "./stack/home.ts";
import { openPrivateRun } from "./stack/private-run.ts";
import { removeAbandonedHomes } from "./stack/test-home.ts";
import { createProgress } from "./verify/progress.ts";

if (process.argv.includes("--help") || process.argv.includes("-h")) {
  process.stdout.write(HELP);
  process.exit(0);
}
const { report, temporary, env } = openPrivateRun();
try {
  process.exit((await main(parseOptions(process.argv.slice(2)))) ? 0 : 1);
} catch (error) {
  if (!(error instanceof StackFailure)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
}

async function main(options: Options): Promise<boolean> {
  const earlier = options.compare === undefined ? undefined : readResults(options.compare);
  await removeAbandonedHomes(report);
  const site = await openSite({ temporary, env, report, profiles: options.profile });
  const cases = casesOf(options);
  const buyers = await prepareBuyers(site, Math.max(...cases.map((one) => one.buyers)));
  const results: Results = {
    at: new Date().toISOString(),
    command: `npm run bench -- ${process.argv.slice(2).join(" ")}`,
    machine: await describeMachine(site.servers),
    cases: await runAll(cases, options, { site, buyers }),
  };
  await site.close();
  const document = `${JSON.stringify(results, null, 2)}\n`;
  process.stdout.write(options.json ? document : `${textOf(results, earlier)}\n`);
  if (options.save !== undefined) save(options.save, document);
  const complaints = complaintsOf(results.cases);
  for (const complaint of complaints) process.stderr.write(`NOT CLEAN: ${complaint}\n`);
  return complaints.length === 0;
}

async function runAll(
  cases: readonly Case[],
  { rounds, targets }: Options,
  place: Omit<Bench, "onProgress">,
): Promise<CaseResult[]> {
  const steps = cases.map((one) => targets.flatMap((name) => (one.rounds[name] ? [name] : [])));
  const total = steps.reduce((sum, { length }) => sum + length * rounds, 0);
  const progress = createProgress(total, process.stderr.isTTY);
  let done = 0;
  const results: CaseResult[] = [];
  for (const [i, one] of cases.entries()) {
    const measured = new Map<string, Round[]>();
    // In turn, round by round: a machine that grows slower meanwhile is slower for all of them.
    for (let round = 1; round <= rounds; round += 1) {
      for (const name of steps[i] ?? []) {
        const onProgress = (text: string): void => {
          progress.at(done, `${one.name}, round ${round} of ${rounds}, ${text}`);
        };
        const result = await one.rounds[name]?.({ ...place, onProgress });
        if (result) measured.set(name, [...(measured.get(name) ?? []), result]);
        done += 1;
        if (!process.stderr.isTTY) report(`${one.name}, round ${round}: ${name} is measured`);
      }
    }
    results.push(caseResult(one.name, one.title, measured));
  }
  progress.stop();
  return results;
}

function readResults(file: string): Results {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as Results;
  } catch {
    throw new StackFailure(`--compare: ${file} cannot be read as results of a bench.`);
  }
}

function save(name: string, document: string): void {
  const folder = join(REPOSITORY, "docs/benchmarks");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `${name}.json`), document);
}
