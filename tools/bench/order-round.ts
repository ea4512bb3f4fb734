import { waitFor } from "../stack/wait.ts";
import type { Bench } from "./bench-run.ts";
import type { Beside, BesideResult } from "./beside.ts";
import type { Buyers } from "./buyers.ts";
import type { Pace, Plan, Tally } from "./client/plan.ts";
import type { Figures } from "./figures.ts";
import { cpuFigures, machineFigures, percentileFigures, US_PER_MS } from "./figures.ts";
import { startClient } from "./load.ts";
import type { Decisions, Fleet, RunningTarget, Target } from "./targets/target.ts";
import { watch, type Watched } from "./watch.ts";

const SETTLE_DEADLINE_MS = 300_000;
const SETTLE_POLL_MS = 20;
const WARMUP_CONNECTIONS = 64;
const WARMUP_SECONDS_MAX = 60;
const KEY_PREFIX = "bench-key-";
const SOLD_OUT = "409 sold_out";

/** One round of one target: what was measured, and what went wrong. */
export interface Round {
  readonly figures: Figures;
  readonly outcomes: Readonly<Record<string, number>>;
  readonly complaints: readonly string[];
}

export interface OrderLoad {
  readonly pace: Pace;
  readonly connections: number;
  /** Products on sale; buyers go to them in turn. */
  readonly products: number;
  /** Units of each. */
  readonly stock: number;
  /** Orders at most, each by a buyer of its own. */
  readonly count: number;
  readonly warmup: number;
  readonly fleet: Fleet;
  /** There are more buyers than units: they may hear sold_out, and everything must be sold. */
  readonly sellsOut?: boolean;
  readonly beside?: Beside;
}

/** Starts a target on empty stores, warms it up, lets buyers at it, waits for the last settlement, and looks at everything. */
export async function orderRound(bench: Bench, target: Target, load: OrderLoad): Promise<Round> {
  bench.onProgress(`${target.name}: starting`);
  const running = await target.start(load.fleet);
  try {
    await warmUp(bench, running, load.warmup);
    const productIds = await running.openSales(load.products, load.stock);
    const { beside, ...seen } = await underLoad(bench, target.name, running, productIds, load);
    const { tally, watched, settledAt } = seen;
    // Those of the orders; the neighbour's are its own.
    const settled = seen.settled - (beside?.accepted ?? 0);
    bench.onProgress(`${target.name}: verifying`);
    const decisions = await running.decisions(productIds);
    const broken = await running.verify();
    return {
      figures: {
        ...figuresOf({ tally, watched, settledAt, settled, decisions, broken }),
        ...beside?.figures,
      },
      outcomes: tally.outcomes,
      complaints: [
        ...complaintsOf(load, { tally, settled, decisions, broken }),
        ...(beside?.complaints ?? []),
      ],
    };
  } finally {
    await running.stop();
  }
}

async function warmUp({ buyers, onProgress }: Bench, running: RunningTarget, orders: number): Promise<void> {
  if (orders === 0) return;
  onProgress("warming up");
  const productIds = await running.openSales(1, orders);
  // Buyers from the end of the list: those of the round must be strangers to the API.
  const client = await startClient(
    planOf(running, productIds, buyers, {
      ...{ connections: WARMUP_CONNECTIONS, count: orders, first: buyers.count - orders },
      pace: { kind: "closed", seconds: WARMUP_SECONDS_MAX },
    }),
  );
  const { accepted } = await client.run();
  await client.end();
  await untilSettled(running, productIds, accepted);
}

async function underLoad(
  bench: Bench,
  name: string,
  running: RunningTarget,
  productIds: readonly number[],
  load: OrderLoad,
): Promise<{ tally: Tally; watched: Watched; settledAt: number; settled: number; beside?: BesideResult }> {
  const { site, buyers, onProgress } = bench;
  const client = await startClient(planOf(running, productIds, buyers, { ...load, first: 0 }));
  const other = await load.beside?.(bench, running, productIds);
  const roles = {
    ...{ ...running.roles, ...site.roles, client: client.pid === undefined ? [] : [client.pid] },
    ...(other && { beside: other.pids }),
  };
  const watching = watch({
    roles,
    async lag() {
      const { accepted } = client.progress();
      const settled = await running.settled(productIds);
      onProgress(`${name}: ${accepted} accepted, ${settled} settled`);
      return accepted - settled;
    },
  });
  const tally = await client.run();
  const beside = await other?.stop();
  const { settled, settledAt } = await untilSettled(
    running,
    productIds,
    tally.accepted + (beside?.accepted ?? 0),
  );
  const watched = await watching.stop();
  await client.end();
  return { tally, watched, settled, settledAt, ...(beside && { beside }) };
}

export function planOf(
  running: RunningTarget,
  productIds: readonly number[],
  buyers: Buyers,
  { connections, pace, count, first }: Pick<OrderLoad, "connections" | "pace" | "count"> & { first: number },
): Plan {
  return {
    ...{ addresses: running.addresses, connections, pace },
    requests: {
      method: "POST",
      paths: ["/api/orders"],
      bodies: productIds.map((productId) => JSON.stringify({ productId, quantity: 1 })),
      tokens: { file: buyers.file, first },
      keyPrefix: KEY_PREFIX,
      count,
    },
  };
}

/** Epoch ms at which the last settlement was seen, and how many there are; fewer than accepted when the deadline has passed. */
export async function untilSettled(running: RunningTarget, productIds: readonly number[], accepted: number) {
  let settled = 0;
  const isDone = async (): Promise<true | undefined> => {
    settled = await running.settled(productIds);
    return settled >= accepted ? true : undefined;
  };
  await waitFor(isDone, SETTLE_DEADLINE_MS, SETTLE_POLL_MS);
  return { settled, settledAt: Date.now() };
}

interface Seen {
  readonly tally: Tally;
  readonly watched: Watched;
  readonly settled: number;
  readonly settledAt: number;
  readonly decisions: Decisions;
  readonly broken: readonly string[] | undefined;
}

function figuresOf({ tally, watched, settled, settledAt, decisions, broken }: Seen): Figures {
  const { offered, answered, accepted, firstAt, lastAt } = tally;
  const cpu = Object.values(watched.cpuMs).reduce((sum, ms) => sum + ms, 0);
  return {
    ...{ offered, answered, accepted, settled, failed: decisions.failed },
    settled_per_s: (settled / (settledAt - firstAt)) * 1_000,
    answered_per_s: (answered / (lastAt - firstAt)) * 1_000,
    drain_ms: Math.max(0, settledAt - lastAt),
    lag_orders_max: watched.lagOrdersMax,
    ...percentileFigures("answer", tally.answerMs),
    ...percentileFigures("decision", decisions.tookMs),
    sent_late_max_ms: tally.lateMsMax,
    cpu_client_us_per_request: ((watched.cpuMs["client"] ?? 0) * US_PER_MS) / answered,
    cpu_api_us_per_request: ((watched.cpuMs["api"] ?? 0) * US_PER_MS) / answered,
    ...(accepted > 0 && {
      ...cpuFigures(watched.cpuMs, "order", accepted),
      cpu_us_per_order: (cpu * US_PER_MS) / accepted,
    }),
    ...machineFigures(watched.othersPart, watched.rssMib),
    ...(broken && { verify_broken: broken.length }),
  };
}

function complaintsOf(
  { sellsOut = false, products, stock }: OrderLoad,
  { tally, settled, decisions, broken }: Pick<Seen, "tally" | "settled" | "decisions" | "broken">,
): string[] {
  const { outcomes, accepted, offered, answered } = tally;
  const isFine = (outcome: string): boolean => outcome === "202" || (sellsOut && outcome === SOLD_OUT);
  const strange = Object.entries(outcomes).filter(([outcome]) => !isFine(outcome));
  return [
    ...strange.map(([outcome, count]) => `${count} times ${outcome}`),
    ...(answered < offered ? [`${offered - answered} orders were not answered`] : []),
    ...(settled === accepted ? [] : [`${accepted} orders were accepted, ${settled} are settled`]),
    ...(sellsOut && settled !== products * stock ? [`${settled} of ${products * stock} units are sold`] : []),
    ...(decisions.failed > 0 ? [`${decisions.failed} accepted orders FAILED`] : []),
    ...(broken ?? []).map((rule) => `verify: ${rule}`),
  ];
}
