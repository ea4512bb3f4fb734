import { answerRound } from "./answer-round.ts";
import { orderRound, type Bench, type OrderLoad, type Round } from "./order-round.ts";
import type { Options, ScenarioName, TargetName } from "./options.ts";
import { flashpay } from "./targets/flashpay.ts";
import type { Fleet, Target } from "./targets/target.ts";
import { yardstick } from "./targets/yardstick.ts";

/** Above what any target takes, so that buyers outlast the time; a round whose buyers run out ends early, no less measured. */
const ORDERS_PER_S_MAX = 5_000;
/** Hello world is steady after less. */
const HELLO_SECONDS_MAX = 10;
const HELLO_PER_S_MAX = 200_000;
/** The open model opens enough connections that arrivals do not wait for one while answers take less than a quarter second. */
const OPEN_CONNECTIONS = 512;
const STORM_STOCK = 1_000;
const STORM_SECONDS_MAX = 600;
const PRODUCTS = 100;
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

  pairs: (options) => {
    const connections = Math.min(...options.connections);
    const like = { connections, fleet: TWO_EACH, products: 1 };
    return [asFastAsCan(options, "pairs", "two API processes and two workers, one product", like)];
  },
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
  const on = (make: (bench: Bench) => Target) => (bench: Bench) => orderRound(bench, make(bench), load);
  return {
    ...{ name, title, buyers: load.count + load.warmup },
    rounds: {
      flashpay: on(({ site, buyers }) => flashpay(site, buyers.admin)),
      reference: on(({ site }) => yardstick(site, "reference", "reference-api")),
      bare: on(({ site }) => yardstick(site, "bare", "bare-api")),
    },
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
