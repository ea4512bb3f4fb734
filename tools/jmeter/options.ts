import { parseArgs } from "node:util";
import { StackFailure } from "../stack/failure.ts";

export type Options = {
  /** Orders per second. */
  rate: number;
  /** Seconds. */
  duration: number;
  /** Buyers, and as many units for sale. */
  users: number;
  runs: number;
  /** JMeter's threads: how many orders may be under way at once before arrivals wait for answers. */
  threads: number;
  /** Orders on a sale of their own before the first run; 0: none. */
  warmup: number;
  /** Measure what `npm start` runs, instead of a stack of its own. */
  stack: boolean;
  /** Only write the buyers to this file, open a sale, and say how to call JMeter. */
  prepare: string | undefined;
};

export const HELP = `npm run jmeter: a flash sale with JMeter, on a stack of its own in a temporary folder.

  npm run jmeter -- --rate 500 --duration 60    orders per second, seconds
                    --users 30000               buyers and stock; rate × duration unless given
                    --runs 3                    several in a row, and a table
                    --threads 200               JMeter's; orders under way at once
                    --warmup 2000               orders on a sale of their own before
                    --stack                     on the stack that npm start runs
                    --stack --prepare FILE      only buyers, tokens and a sale, for a JMeter that you start yourself
`;

const RATE_MAX = 20_000;
const DURATION_S_MAX = 86_400;
/** What a product's stock may be (contract §2). */
const USERS_MAX = 10_000_000;
const RUNS_MAX = 100;
const THREADS_MAX = 5_000;

/** @throws StackFailure with one sentence for the person who typed them */
export function parseOptions(args: readonly string[]): Options {
  const values = parse(args);
  const rate = whole("--rate", values.rate, 1, RATE_MAX);
  const duration = whole("--duration", values.duration, 1, DURATION_S_MAX);
  const arrivals = rate * duration;
  const users = whole("--users", values.users ?? String(arrivals), 1, USERS_MAX);
  if (users > arrivals) {
    throw new StackFailure(
      `--users must be at most --rate × --duration: only ${String(arrivals)} orders arrive in that time.`,
    );
  }
  if (values.prepare !== undefined && !values.stack)
    throw new StackFailure(
      "--prepare needs --stack: a sale on a stack that ends with this command is no use.",
    );
  return {
    rate,
    duration,
    users,
    runs: whole("--runs", values.runs, 1, RUNS_MAX),
    threads: whole("--threads", values.threads, 1, THREADS_MAX),
    warmup: whole("--warmup", values.warmup, 0, USERS_MAX),
    stack: values.stack,
    prepare: values.prepare,
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        rate: { type: "string", default: "500" },
        duration: { type: "string", default: "60" },
        users: { type: "string" },
        runs: { type: "string", default: "1" },
        threads: { type: "string", default: "200" },
        warmup: { type: "string", default: "2000" },
        stack: { type: "boolean", default: false },
        prepare: { type: "string" },
      },
    }).values;
  } catch (error) {
    throw new StackFailure(error instanceof Error ? error.message : String(error));
  }
}

function whole(name: string, text: string, min: number, max: number): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (value >= min && value <= max) return value;
  throw new StackFailure(
    `${name} must be a whole number from ${String(min)} to ${String(max)}, not "${text}".`,
  );
}
