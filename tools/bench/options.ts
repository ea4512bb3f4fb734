import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { StackFailure } from "../stack/failure.ts";

/** In the order in which they run; the letter stands for the name. */
export const SCENARIOS = {
  saturation: "a",
  open: "b",
  storm: "c",
  products: "d",
  drain: "e",
  reads: "f",
  pairs: "g",
  logins: "h",
  slow: "i",
  script: "j",
} as const;
export type ScenarioName = keyof typeof SCENARIOS;

export const TARGETS = ["flashpay", "alone", "reference", "bare", "hello", "token-only"] as const;
export type TargetName = (typeof TARGETS)[number];

export interface Options {
  readonly scenarios: readonly ScenarioName[];
  readonly targets: readonly TargetName[];
  readonly rounds: number;
  /** How long each round's load lasts. */
  readonly seconds: number;
  /** Of the closed loads, one case each. */
  readonly connections: readonly number[];
  /** Of the open model: orders per second, one case each. */
  readonly rates: readonly number[];
  /** Requests of the sold-out storm. */
  readonly storm: number;
  /** Orders that wait for the worker. */
  readonly drain: number;
  /** Orders on a sale of their own before each round: a process that has just begun is no figure. */
  readonly warmup: number;
  readonly json: boolean;
  /** A folder for CPU profiles of FlashPay's programs. */
  readonly profile: string | undefined;
  readonly compare: string | undefined;
  readonly save: string | undefined;
}

export const HELP = `npm run bench: how much FlashPay does, beside yardsticks on the same servers, round by round in turn.

  npm run bench                                 every scenario
  npm run bench -- saturation                   these only; its letter (a) will do

    a saturation   one product, as many buyers as orders, as fast as answers come
    b open         orders at a constant rate; an answer's time counts from when its request was to be sent
    c storm        a stock of 1 000, and two hundred requests for each unit
    d products     a hundred products at once, as fast as answers come
    e drain        orders that wait, then a worker is started; also what an order takes in Redis, undecided and decided
    f reads        2 000 reads of an order's status per second beside 500 orders
    g pairs        two API processes and two workers, one product
    h logins       20 log-ins per second beside 500 orders
    i slow         500 sockets that send a byte a second beside 300 orders
    j script       one user's script of 1 000 orders per second beside 300 orders of others

    --rounds 3               of each target, in turn; the medians count
    --seconds 30             of load in each round
    --connections 64,512     of the closed loads, one case each
    --rates 500,1000,2000    of the open model, one case each
    --storm 200000           requests of the storm
    --drain 200000           orders that wait
    --targets flashpay,bare  leaves out the others
    --warmup 6000            orders before each round
    --quick                  a few seconds in all: shows that it works, measures nothing
    --json                   one document on standard output
    --save NAME              also to docs/benchmarks/NAME.json
    --profile FOLDER         CPU profiles of the API and the worker, for speedscope or Chrome; slows both
    --compare FILE           each figure beside that of an earlier --json or --save

Exit code 1 when an order was lost, or a rule of npm run verify is broken.
`;

const QUICK = {
  rounds: "1",
  seconds: "1",
  connections: "16",
  rates: "50",
  storm: "2000",
  drain: "500",
  warmup: "100",
};
const NORMAL = {
  ...{ rounds: "3", seconds: "30", connections: "64,512", rates: "500,1000,2000" },
  ...{ storm: "200000", drain: "200000", warmup: "6000" },
};
const RATE_MAX = 50_000;
/** Each request has a buyer of its own. */
const STORM_MAX = 2_000_000;
const ROUNDS_MAX = 100;
const SECONDS_MAX = 3_600;
const CONNECTIONS_MAX = 5_000;
const WARMUP_MAX = 1_000_000;

/** @throws StackFailure with one sentence for the person who typed them */
export function parseOptions(args: readonly string[]): Options {
  const { values: given, positionals } = parse(args);
  const values = { ...(given.quick ? QUICK : NORMAL), ...given };
  return {
    scenarios: positionals.length === 0 ? names(SCENARIOS) : chosenScenarios(positionals),
    targets: chosenTargets(values.targets),
    rounds: whole("--rounds", values.rounds, 1, ROUNDS_MAX),
    seconds: whole("--seconds", values.seconds, 1, SECONDS_MAX),
    connections: list("--connections", values.connections, CONNECTIONS_MAX),
    rates: list("--rates", values.rates, RATE_MAX),
    storm: whole("--storm", values.storm, 1, STORM_MAX),
    drain: whole("--drain", values.drain, 1, STORM_MAX),
    warmup: whole("--warmup", values.warmup, 0, WARMUP_MAX),
    json: values.json ?? false,
    profile: values.profile === undefined ? undefined : resolve(values.profile),
    compare: values.compare,
    save: nameOf(values.save),
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        rounds: { type: "string" },
        seconds: { type: "string" },
        connections: { type: "string" },
        rates: { type: "string" },
        storm: { type: "string" },
        drain: { type: "string" },
        targets: { type: "string" },
        warmup: { type: "string" },
        quick: { type: "boolean" },
        json: { type: "boolean" },
        save: { type: "string" },
        compare: { type: "string" },
        profile: { type: "string" },
      },
    });
  } catch (error) {
    throw new StackFailure(`${error instanceof Error ? error.message : String(error)} See --help.`);
  }
}

function chosenScenarios(words: readonly string[]): ScenarioName[] {
  const wanted = words.map((word) => {
    const found = names(SCENARIOS).find((name) => name === word || SCENARIOS[name] === word);
    if (found) return found;
    throw new StackFailure(`There is no scenario "${word}": ${names(SCENARIOS).join(", ")}.`);
  });
  return names(SCENARIOS).filter((name) => wanted.includes(name));
}

function chosenTargets(text: string | undefined): readonly TargetName[] {
  if (text === undefined) return TARGETS;
  const words = text.split(",").map((word) => word.trim());
  const unknown = words.find((word) => !TARGETS.some((name) => name === word));
  if (unknown !== undefined)
    throw new StackFailure(`There is no target "${unknown}": ${TARGETS.join(", ")}.`);
  return TARGETS.filter((name) => words.includes(name));
}

function nameOf(name: string | undefined): string | undefined {
  if (name === undefined || /^[\w.-]+$/.test(name)) return name;
  throw new StackFailure("--save takes a name of letters, digits, dots and dashes, not a path.");
}

function list(name: string, text: string, max: number): number[] {
  return [...new Set(text.split(",").map((part) => whole(name, part.trim(), 1, max)))];
}

function whole(name: string, text: string, min: number, max: number): number {
  const value = /^\d{1,9}$/.test(text) ? Number(text) : NaN;
  if (value >= min && value <= max) return value;
  throw new StackFailure(`${name} must be a whole number from ${min} to ${max}, not "${text}".`);
}

function names<T extends object>(table: T): (keyof T & string)[] {
  return Object.keys(table) as (keyof T & string)[];
}
