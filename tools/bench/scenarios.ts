import { answerRound } from "./answer-round.ts";
import type { Beside } from "./beside.ts";
import { drainRound } from "./drain-round.ts";
import { logins, script, slowSockets, statusReads } from "./neighbours.ts";
import type { Bench } from "./bench-run.ts";
import { orderRound, type OrderLoad, type Round } from "./order-round.ts";
import type { Options, ScenarioName, TargetName } from "./options.ts";
import { flashpay } from "./targets/flashpay.ts";
import type { Fleet, Target } from "./targets/target.ts";
import { yardstick } from "./targets/yardstick.ts";

/** Above what any target takes, so that buyers outlast the time; a round whose buyers run out ends early, no less measured. */
const ORDERS_PER_S_MAX = 10_000;
/** Hello world is steady after less. */
const HELLO_SECONDS_MAX = 10;
const HELLO_PER_S_MAX = 200_000;
/** The open model opens enough connections that arrivals do not wait for one while answers take less than a quarter second. */
const OPEN_CONNECTIONS = 512;
const STORM_STOCK = 1_000;
const STORM_SECONDS_MAX = 600;
const PRODUCTS = 100;
const READS_PER_S = 2_000;
const LOGINS_PER_S = 20;
/** Of orders beside reads and log-ins. */
const BESIDE_RATE = 500;
const SLOW_SOCKETS = 500;
const SCRIPT_PER_S = 1_000;
/** Of orders beside those who would harm. */
const ATTACKED_RATE = 300;
/** The default of RATE_LIMIT_ORDERS_PER_USER. */
const ORDERS_PER_USER_AND_S = 20;
const ONE_EACH: Fleet = { apis: 1, workers: 1 };
const TWO_EACH: Fleet = { apis: 2, workers: 2 };

/** One setting of a scenario, measured on several targets in turn. */
export interface Case {
  readonly name: string;
  readonly title: string;
  /** Accounts that it needs, those for warming up included. */
  readonly buyers: number;
  readonly rounds: Partial<Record<TargetName, (bench: Bench) => Promise<Round>>>;
}

export function casesOf(options: Options): Case[] {
  return options.scenarios.flatMap((name) => SCENARIO_CASES[name](options));
}

const SCENARIO_CASES: Record<ScenarioName, (options: Options) => Case[]> = {
  saturation: (options) =>
    options.connections.map((connections) => {
      const like = { connections, fleet: ONE_EACH, products: 1 };
      const one = asFastAsCan(options, `saturation-${connections}`, "one product", like);
      const seconds = Math.min(options.seconds, HELLO_SECONDS_MAX);
      const requests = { method: "GET", paths: ["/"], count: seconds * HELLO_PER_S_MAX } as const;
      return {
        ...one,
        rounds: {
          ...one.rounds,
          hello: (bench) =>
            answerRound(bench, "hello", { connections, pace: { kind: "closed", seconds }, requests }),
        },
      };
    }),

  open: ({ rates, seconds, warmup }) =>
    rates.map((rate) => {
      const pace = { kind: "open", rate, seconds } as const;
      const load = {
        ...{ pace, connections: OPEN_CONNECTIONS, fleet: ONE_EACH },
        ...{ products: 1, stock: rate * seconds, count: rate * seconds, warmup },
      };
      return ordersCase(`open-${rate}`, `one product, ${rate} orders arrive per second`, load);
    }),

  storm: ({ storm, connections, warmup }) => {
    const pace = { kind: "closed", seconds: STORM_SECONDS_MAX } as const;
    const stock = Math.min(STORM_STOCK, Math.ceil(storm / 2));
    const many = Math.max(...connections);
    const load = { pace, connections: many, products: 1, stock, count: storm, warmup, fleet: ONE_EACH };
    const one = ordersCase("storm", `${storm} requests for ${stock} units, ${many} connections`, {
      ...load,
      sellsOut: true,
    });
    return [{ ...one, rounds: { ...one.rounds, "token-only": (bench) => tokenOnly(bench, many, storm) } }];
  },

  products: (options) => {
    const connections = Math.min(...options.connections);
    const like = { connections, fleet: ONE_EACH, products: PRODUCTS };
    return [asFastAsCan(options, "products", `${PRODUCTS} products`, like)];
  },

  drain: ({ drain }) => [
    {
      ...{ name: "drain", title: `${drain} orders wait for a worker`, buyers: drain },
      rounds: onOrderTargets((bench, target) => drainRound(bench, target, drain)),
    },
  ],

  reads: (options) => [
    besideCase(options, "reads", `${READS_PER_S} reads of a status per second beside orders`, {
      ...{ rate: BESIDE_RATE, beside: statusReads(READS_PER_S, options.seconds) },
    }),
  ],

  pairs: (options) => {
    const connections = Math.min(...options.connections);
    const like = { connections, fleet: TWO_EACH, products: 1 };
    return [asFastAsCan(options, "pairs", "two API processes and two workers, one product", like)];
  },

  logins: (options) => [
    besideCase(options, "logins", `${LOGINS_PER_S} log-ins per second beside orders`, {
      ...{ rate: BESIDE_RATE, beside: logins(LOGINS_PER_S, options.seconds) },
    }),
  ],

  slow: (options) => [
    besideCase(options, "slow", `${SLOW_SOCKETS} slow sockets beside orders`, {
      ...{ rate: ATTACKED_RATE, beside: slowSockets(SLOW_SOCKETS) },
    }),
  ],

  script: (options) => [
    besideCase(options, "script", `one user's script of ${SCRIPT_PER_S} orders per second beside orders`, {
      ...{ rate: ATTACKED_RATE, beside: script(SCRIPT_PER_S, options.seconds, ORDERS_PER_USER_AND_S) },
      settings: { RATE_LIMIT_ORDERS_PER_USER: String(ORDERS_PER_USER_AND_S) },
    }),
  ],
};

function asFastAsCan(
  { seconds, warmup }: Options,
  name: string,
  what: string,
  like: Pick<OrderLoad, "connections" | "fleet" | "products">,
): Case {
  const count = seconds * ORDERS_PER_S_MAX;
  const load = { ...like, pace: { kind: "closed", seconds }, stock: count, count, warmup } as const;
  return ordersCase(name, `${what}, ${like.connections} connections, as fast as answers come`, load);
}

/** The same orders for FlashPay, the reference path and `bare`. */
function ordersCase(name: string, title: string, load: OrderLoad): Case {
  const rounds = onOrderTargets((bench, target) => orderRound(bench, target, load));
  return { ...{ name, title, buyers: load.count + load.warmup }, rounds };
}

function onOrderTargets(round: (bench: Bench, target: Target) => Promise<Round>): Case["rounds"] {
  return {
    flashpay: (bench) => round(bench, flashpay(bench.site, bench.buyers.admin)),
    reference: (bench) => round(bench, yardstick(bench.site, "reference", "reference-api")),
    bare: (bench) => round(bench, yardstick(bench.site, "bare", "bare-api")),
  };
}

interface Neighbourhood {
  readonly rate: number;
  readonly beside: Beside;
  readonly settings?: Fleet["settings"];
}

/** Orders at a constant rate, with something beside them and, as the yardstick `alone`, without. */
function besideCase(
  { seconds, warmup }: Options,
  name: string,
  what: string,
  { rate, beside, settings }: Neighbourhood,
): Case {
  const load: OrderLoad = {
    ...{ pace: { kind: "open", rate, seconds }, connections: OPEN_CONNECTIONS, products: 1 },
    ...{ stock: rate * seconds + seconds, count: rate * seconds, warmup },
    fleet: { ...ONE_EACH, ...(settings && { settings }) },
  };
  const round = (more: Partial<OrderLoad>) => (bench: Bench) =>
    orderRound(bench, flashpay(bench.site, bench.buyers.admin), { ...load, ...more });
  return {
    ...{ name, title: `${what}, ${rate} of which arrive per second`, buyers: load.count + warmup },
    rounds: { flashpay: round({ beside }), alone: round({}) },
  };
}

function tokenOnly(bench: Bench, connections: number, count: number): Promise<Round> {
  return answerRound(bench, "token-only", {
    ...{ connections, pace: { kind: "closed", seconds: STORM_SECONDS_MAX } },
    requests: {
      ...{ method: "POST", paths: ["/api/orders"], bodies: [JSON.stringify({ productId: 1, quantity: 1 })] },
      ...{ tokens: { file: bench.buyers.file, first: 0 }, keyPrefix: "bench-key-", count },
    },
  });
}
