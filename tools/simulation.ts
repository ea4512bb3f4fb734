import { fork } from "node:child_process";
import { once } from "node:events";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { REPOSITORY } from "./stack/home.ts";
import { onStopWish } from "./stack/signals.ts";

const HELP = `npm run test:simulation: lives of the whole system on in-memory servers, each decided by its seed.

  npm run test:simulation -- --seeds 10000         that many seeds (default 1000)
  npm run test:simulation -- --from 5000 --jobs 2  from this seed on, in so many processes
  npm run test:simulation -- --seed 123 --trace    one seed again, with everything that happens in it
`;
const INTERRUPTED = 130;
const PROGRESS_EVERY_MS = 1_000;
const FAILURES_SHOWN_MAX = 10;

/** test/simulation/seeds.ts sends one after each seed. The tools know the tests by path alone. */
interface SeedReport {
  readonly seed: number;
  readonly violation?: string;
  readonly tally: Readonly<Record<string, number>>;
}

const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "1000" },
    from: { type: "string", default: "1" },
    jobs: { type: "string", default: String(availableParallelism()) },
    seed: { type: "string" },
    trace: { type: "boolean", default: false },
    help: { type: "boolean", short: "h", default: false },
  },
});
const [seeds, from, jobs] = [count("seeds"), count("from"), count("jobs")];
// The children notice by their channel.
onStopWish(() => process.exit(INTERRUPTED));
if (values.help) process.stdout.write(HELP);
else if (values.seed !== undefined) await replay(String(count("seed")));
else await runAll();

function count(name: "seeds" | "from" | "jobs" | "seed"): number {
  const value = Number(values[name] ?? 0);
  if (Number.isSafeInteger(value) && value >= 0) return value;
  process.stderr.write(`--${name} takes a whole number.\n${HELP}`);
  process.exit(1);
}

async function replay(seed: string): Promise<void> {
  process.exitCode = await run("replay.ts", ["--seed", seed, ...(values.trace ? ["--trace"] : [])]);
}

async function runAll(): Promise<void> {
  const startedAt = performance.now();
  const failures: SeedReport[] = [];
  const totals: Record<string, number> = {};
  let done = 0;
  const rate = () => (done / ((performance.now() - startedAt) / 1_000)).toFixed(1);
  const progress = setInterval(() => {
    const line = `${done} of ${seeds} seeds, ${rate()} seeds/s, ${failures.length} failed`;
    process.stdout.write(process.stdout.isTTY ? `\r${line}` : `${line}\n`);
  }, PROGRESS_EVERY_MS);
  const heard = (report: SeedReport) => {
    done += 1;
    for (const [name, n] of Object.entries(report.tally)) totals[name] = (totals[name] ?? 0) + n;
    if (report.violation !== undefined) failures.push(report);
  };
  const codes = await Promise.all(
    Array.from({ length: Math.max(1, jobs) }, (_, job) => {
      const range = [String(from + job), String(from + seeds), String(Math.max(1, jobs))] as const;
      return run("seeds.ts", ["--from", range[0], "--to", range[1], "--step", range[2]], heard);
    }),
  );
  clearInterval(progress);
  if (process.stdout.isTTY) process.stdout.write("\n");
  for (const { seed, violation } of failures.slice(0, FAILURES_SHOWN_MAX))
    process.stdout.write(`seed ${seed}: ${violation ?? ""}\n`);
  const said = Object.entries(totals).map(([name, n]) => `${name} ${n}`);
  process.stdout.write(`${said.join(", ")}\n${done} seeds, ${rate()} seeds/s, ${failures.length} failed\n`);
  if (failures.length > 0 || done < seeds || codes.some((code) => code !== 0)) process.exitCode = 1;
}

/** @returns the exit code */
async function run(program: string, args: string[], heard?: (report: SeedReport) => void): Promise<number> {
  const child = fork(join(REPOSITORY, "test/simulation", program), args, { execArgv: ["--import", "tsx"] });
  if (heard)
    child.on("message", (message) => {
      heard(message as SeedReport);
    });
  const [code] = (await once(child, "exit")) as [number | null];
  return code ?? 1;
}
