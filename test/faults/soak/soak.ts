import { keys } from "../../../shared/redis/keys.ts";
import type { SaleBody } from "../../support/bodies.ts";
import type { Counts } from "../judge.ts";
import { judgeAll, judgeSale } from "../judge.ts";
import { createRandom } from "../random.ts";
import { forbidden, NOTHING, type Outcome } from "../runner.ts";
import { lasting, openWorld, type World, type WorldWish } from "../world.ts";
import { bringAbout } from "./bring-about.ts";
import { inWords, planOf, type Step } from "./plan.ts";
import { rollSales, type Sales } from "./sales.ts";

const APIS = 2;
const WORKERS = 2;
const PROGRESS_EVERY_MS = 60_000;
const EVERYTHING = ["mysql", "redis", "kafka"] as const;
const WISH: WorldWish = { apis: APIS, workers: WORKERS, through: { api: EVERYTHING, worker: EVERYTHING } };
const MISSES_SHOWN_MAX = 10;

export interface Soak {
  readonly lengthMs: number;
  readonly seed: number;
  /** Orders begun in a second, over all sales. */
  readonly perSecond: number;
  readonly withDataLoss: boolean;
  /** Its home, and where the histories are kept until the end. */
  readonly folder: string;
  /** Where logs and histories go when something was missed. */
  readonly keep: string;
  readonly env: NodeJS.ProcessEnv;
  readonly report: (line: string) => void;
}

/** Random faults on everything under constant load; then calm, and every order is counted. */
export async function soak(options: Soak): Promise<Outcome> {
  const { lengthMs, seed, folder, env, report, withDataLoss } = options;
  const startedAt = performance.now();
  const random = createRandom(seed).fork("soak");
  const plan = planOf(random.fork("plan"), { lengthMs, withDataLoss, apis: APIS, workers: WORKERS });
  const world = await openWorld({ folder, env, wish: WISH, orders: 0, random, report });
  try {
    const sales = rollSales(world, folder, options.perSecond);
    const faults = await endure(world, sales, plan, options);
    report("calm; waiting until everything is decided");
    await Promise.all([...world.apis, ...world.workers].map((keeper) => keeper.ready()));
    const { counts, misses } = await judgeSales(world, sales, await sales.end());
    misses.push(
      ...(await judgeAll(world, { deadLetters: 0, redisForgets: withDataLoss })),
      ...forbidden({ redisForgets: withDataLoss }, counts),
    );
    if (misses.length > 0) {
      world.keepLogs(options.keep);
      report(`missed; its logs are in ${options.keep}`);
    }
    const restarts = [...world.apis, ...world.workers].reduce((sum, { lives }) => sum + lives.length, 0);
    return {
      ...{ id: "SOAK", title: `${faults} faults in ${lengthMs / 60_000} minutes`, seed, counts },
      ...{ recoveryMs: undefined, objective: undefined, figures: { faults, restarts } },
      misses: misses.slice(0, MISSES_SHOWN_MAX),
      seconds: Math.round((performance.now() - startedAt) / 1_000),
    };
  } finally {
    await world.close();
  }
}

/** Returns how many faults there were. */
async function endure(
  world: World,
  sales: Sales,
  plan: readonly Step[],
  { lengthMs, report }: Soak,
): Promise<number> {
  let faults = 0;
  const onFault = (step: Step): void => {
    faults += 1;
    report(inWords(step));
  };
  const endsAt = performance.now() + lengthMs;
  const timer = setInterval(() => {
    void progress(world, sales, faults).then(report);
  }, PROGRESS_EVERY_MS);
  try {
    await bringAbout(world, plan, onFault);
    await lasting(Math.max(0, endsAt - performance.now()));
    return faults;
  } finally {
    clearInterval(timer);
  }
}

/** One line; what a server that is away cannot tell just now is a dash. */
async function progress(world: World, sales: Sales, faults: number): Promise<string> {
  const { orders, accepted, unknown } = sales.heard();
  const dash = (asked: Promise<number>) => asked.catch(() => "-" as const);
  const settled = await dash(world.database.count("SELECT COUNT(*) FROM settlements"));
  const lag = await dash(world.lag());
  return `${orders} orders, ${accepted} accepted, ${unknown} unknown, ${settled} settled, ${faults} faults, lag ${lag}`;
}

async function judgeSales(world: World, sales: Sales, over: readonly SaleBody[]) {
  let counts: Counts = NOTHING;
  const misses: string[] = [];
  for (const sale of over) {
    const history = await sales.historyOf(sale);
    const reservations = () => world.redis.hlen(keys.reservations(sale.id));
    const judged = await judgeSale({ ...world, sale, history, reservations });
    counts = added(counts, judged.counts);
    misses.push(...judged.misses);
  }
  return { counts, misses };
}

function added(a: Counts, b: Counts): Counts {
  const names = Object.keys(a) as (keyof Counts)[];
  return Object.fromEntries(names.map((name) => [name, a[name] + b[name]])) as unknown as Counts;
}
