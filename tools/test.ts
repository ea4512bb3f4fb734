import { join } from "node:path";
import { parseArgs } from "node:util";
import { provideChromium } from "./stack/chromium.ts";
import { run } from "./stack/command.ts";
import { StackFailure } from "./stack/failure.ts";
import { cacheFolder, REPOSITORY } from "./stack/home.ts";
import { secretsOfRun, watchLeaks } from "./stack/leak-watch.ts";
import { killEverything, stopEverything } from "./stack/registry.ts";
import { createReport } from "./stack/report.ts";
import { onStopWish } from "./stack/signals.ts";
import { makeTestHome, removeAbandonedHomes, removeTestHome } from "./stack/test-home.ts";
import {
  cleanEnvironment,
  integrationSpecs,
  needsServers,
  runSpecs,
  sum,
  unitSpecs,
  type Counts,
} from "./stack/test-runs.ts";
import { startTestServers } from "./stack/test-servers.ts";

const HELP = `npm test: types, lint, layers, format; unit tests; then every test on private servers in a temporary folder.

  npm test -- --no-check                  without npm run check
  npm test -- test/sale.test.ts           these specs only
  npm test -- --grep "sold out"           tests whose names match only

The last line is "N passed, N failed".
`;
const INTERRUPTED = 130;
const CHECK_DEADLINE_MS = 600_000;

const { values: flags, positionals: chosen } = parseArgs({
  allowPositionals: true,
  options: {
    "no-check": { type: "boolean", default: false },
    grep: { type: "string" },
    help: { type: "boolean", short: "h", default: false },
  },
});
const report = createReport((line) => process.stdout.write(line));
const { path: home, temporary } = makeTestHome();
const environment = {
  ...cleanEnvironment(process.env),
  FLASHPAY_CACHE: cacheFolder(process.env),
  TMPDIR: temporary,
  // What prints goes through this process: whether it may be coloured is told by where it goes then.
  ...(process.stdout.isTTY && { FORCE_COLOR: "1" }),
};
/** All that the specs print, for the search for secrets. */
const said = join(home, "said.txt");
const leakWatch = watchLeaks(secretsOfRun(home));
let interrupted = false;

process.on("exit", () => {
  killEverything();
  removeTestHome(home);
});
onStopWish(() => {
  interrupted = true;
  report("stopping");
  void stopEverything().then(() => process.exit(INTERRUPTED));
});
if (flags.help) {
  process.stdout.write(HELP);
  process.exit(0);
}
await main();

async function main(): Promise<void> {
  const everything = chosen.length === 0 && flags.grep === undefined;
  const specs = chosen.length > 0 ? chosen : [...unitSpecs(), ...integrationSpecs()];
  const unit = specs.filter((spec) => !needsServers(spec));
  const integration = specs.filter(needsServers);
  const counts: Counts[] = [];
  if (everything && !flags["no-check"]) counts.push(await check());
  counts.push(
    await runSpecs(unit, {
      ...{ grep: flags.grep, env: environment, output: { log: said, tee: true } },
      countsFile: join(home, "unit.json"),
    }),
  );
  if (integration.length > 0) counts.push(await onServers(integration));
  if (interrupted) return; // the signal's own way out is under way
  counts.push(leaked());
  const { passed, failed } = sum(counts);
  process.stdout.write(`${String(passed)} passed, ${String(failed)} failed\n`);
  process.exit(failed === 0 ? 0 : 1);
}

/** One test among the others. */
async function check(): Promise<Counts> {
  const options = {
    cwd: REPOSITORY,
    env: environment,
    output: "inherit",
    deadlineMs: CHECK_DEADLINE_MS,
  } as const;
  const { ok } = await run("npm", ["run", "check"], options);
  report(ok ? "npm run check passed" : "npm run check failed");
  return ok ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 };
}

/** One failure, if any of the secrets that this run has used stands where somebody could read it. */
function leaked(): Counts {
  const leaks = leakWatch.end({ said, home });
  for (const leak of leaks) report(`a secret has leaked: ${leak}`);
  return { passed: 0, failed: leaks.length > 0 ? 1 : 0 };
}

/** Private servers for one run of specs. That they do not come up is a failure like any other. */
async function onServers(specs: readonly string[]): Promise<Counts> {
  try {
    await removeAbandonedHomes(report);
    if (specs.some((spec) => spec.includes("test/pages/"))) await provideChromium(environment, report);
    const servers = await startTestServers({ home, env: environment, report });
    const counts = await runSpecs(specs, {
      grep: flags.grep,
      env: servers.env,
      output: { log: said, tee: true },
      countsFile: join(home, "integration.json"),
    });
    await servers.stop();
    return counts;
  } catch (error) {
    if (interrupted) return { passed: 0, failed: 0 };
    process.stderr.write(`${error instanceof StackFailure ? error.message : String(error)}\n`);
    if (!(error instanceof StackFailure) && error instanceof Error)
      process.stderr.write(`${error.stack ?? ""}\n`);
    return { passed: 0, failed: 1 };
  }
}
