import { setTimeout as delay } from "node:timers/promises";
import { broken, runVerify } from "../support/verify.ts";
import type { Call } from "../support/history.ts";
import { until } from "../support/until.ts";
import type { World } from "./world.ts";

const DRAIN_DEADLINE_MS = 180_000;
const POLL_MS = 250;
/** What is still missing from the stock after so much calm is gone. */
const CALM_MS = 30_000;
const SHOWN_MAX = 5;

export interface DecidedRow {
  readonly id: string;
  readonly user_id: number;
  readonly status: "SUCCESS" | "FAILED";
  readonly fail_reason: string | null;
  readonly quantity: number | null;
  readonly accepted_at: Date;
  readonly decided_at: Date;
  /** Of its settlement; null without one. An order settled twice is here twice. */
  readonly amount: number | null;
}

/** What the orders came to. All but the first four and `failed` must be 0; `failed`, too, unless Redis forgot. */
export interface Counts {
  readonly orders: number;
  readonly accepted: number;
  /** Buyers who never learnt whether they have bought. */
  readonly unknown: number;
  readonly settled: number;
  readonly lost: number;
  readonly doubled: number;
  readonly oversold: number;
  readonly leaked: number;
  readonly wrong: number;
  /** Accepted, then FAILED. */
  readonly failed: number;
}

export interface Judgement {
  readonly counts: Counts;
  readonly rows: readonly DecidedRow[];
  readonly misses: readonly string[];
}

/** Waits until everything under way has come to rest, then counts what became of each order that any buyer asked for. */
export async function judge(world: World, expected: Expected): Promise<Judgement> {
  const { counts, rows, misses } = await judgeSale(world);
  return { counts, rows, misses: shortened([...misses, ...(await judgeAll(world, expected))]) };
}

export interface Expected {
  readonly deadLetters: number;
  /** Redis lost data, so an accepted order may have FAILED. */
  readonly redisForgets: boolean;
}

/** What is to hold over all sales. */
export async function judgeAll(world: World, { deadLetters, redisForgets }: Expected): Promise<string[]> {
  // Messages that no buyer's order made may fail as well; each of them is expected among the dead letters.
  const mayFail = redisForgets || deadLetters > 0;
  const verdict = await runVerify(world.settings("worker"), ...(mayFail ? ["--allow-failed"] : []));
  const parked = await world.database.count("SELECT COUNT(*) FROM dead_letters");
  return [
    ...broken(verdict).map((finding) => JSON.stringify(finding)),
    ...(parked === deadLetters ? [] : [`${parked} dead letters instead of ${deadLetters}`]),
  ];
}

/** The one sale of the world, against what its buyers have heard. */
export async function judgeSale(world: World): Promise<Judgement> {
  const misses: string[] = [];
  await drained(world).catch((error: unknown) => {
    misses.push(error instanceof Error ? error.message : String(error));
  });
  let leaked = await leakOf(world);
  const since = performance.now();
  while (leaked !== 0 && performance.now() - since < CALM_MS) {
    await delay(POLL_MS);
    leaked = await leakOf(world);
  }
  const rows = await rowsOf(world);
  const counts = { ...tally(world, rows), leaked };
  misses.push(
    ...world.history.contradictions(world.sale.id, rows).filter((text) => text.endsWith("unasked")),
  );
  return { counts, rows, misses };
}

/** Every message decided, every reservation ended. */
export function drained(world: World, deadlineMs = DRAIN_DEADLINE_MS): Promise<true> {
  return until(
    "everything is decided",
    async () => {
      const lag = await world.lag();
      const reservations = await world.reservations();
      if (lag === 0 && reservations === 0) return true;
      throw new Error(`${lag} messages are undecided, ${reservations} units are reserved`);
    },
    deadlineMs,
    POLL_MS,
  );
}

export function rowsOf({ database, sale }: World): Promise<DecidedRow[]> {
  return database.rows<DecidedRow>(
    `SELECT o.id, o.user_id, o.status, o.fail_reason, o.quantity, o.accepted_at, o.decided_at, s.amount
     FROM orders o LEFT JOIN settlements s ON s.order_id = o.id WHERE o.product_id = ?`,
    [sale.id],
  );
}

/** Units neither for sale, nor sold; below 0: units that are for sale twice. */
async function leakOf({ database, sale, clients }: World): Promise<number> {
  const sold = await database.count(
    "SELECT COALESCE(SUM(quantity), 0) FROM orders WHERE product_id = ? AND status = 'SUCCESS'",
    [sale.id],
  );
  const left = await until("the API tells what is left", () => leftOf(clients[0], sale.id), CALM_MS, POLL_MS);
  return sale.stock - left - sold;
}

async function leftOf(client: World["clients"][number] | undefined, productId: number): Promise<number> {
  const answer = await client?.get(`/api/products/${productId}`);
  if (answer?.status !== 200) throw new Error(`GET /api/products: ${answer?.status ?? "no API"}`);
  return (JSON.parse(answer.text) as { data: { stockLeft: number } }).data.stockLeft;
}

function tally({ history, sale }: World, rows: readonly DecidedRow[]): Omit<Counts, "leaked"> {
  const calls = history.calls.filter(({ productId }) => productId === sale.id);
  const promised = new Map(calls.flatMap((call) => (call.orderId ? [[call.orderId, call] as const] : [])));
  const byId = new Map(rows.map((row) => [row.id, row]));
  const states = [...promised.keys()].map((id) => byId.get(id)?.status);
  const sold = [...byId.values()].filter(({ status }) => status === "SUCCESS");
  const units = sold.reduce((sum, { quantity }) => sum + (quantity ?? 0), 0);
  return {
    ...heardOf(calls),
    settled: sold.filter(({ amount }) => amount !== null).length,
    lost: states.filter((status) => status === undefined).length,
    failed: states.filter((status) => status === "FAILED").length,
    doubled: rows.length - byId.size + twiceOf(calls, [...byId.values()]),
    oversold: Math.max(0, units - sale.stock),
    wrong: rows.filter((row) => isWrong(row, sale.price, promised.get(row.id))).length,
  };
}

export type Heard = Pick<Counts, "orders" | "accepted" | "unknown">;

/** What buyers of one sale say of their orders. */
export function heardOf(calls: readonly Call[]): Heard {
  return {
    orders: new Set(calls.map(({ userId, key }) => `${userId} ${key ?? ""}`)).size,
    accepted: new Set(calls.flatMap(({ orderId }) => orderId ?? [])).size,
    unknown: unknownOf(calls),
  };
}

function unknownOf(calls: readonly Call[]): number {
  const bought = new Set(calls.filter(({ kind }) => kind === "ok").map(({ userId }) => userId));
  const open = calls.filter(({ kind, userId }) => kind === "info" && !bought.has(userId));
  return new Set(open.map(({ userId }) => userId)).size;
}

/** Orders beyond what a buyer's calls can have brought about: one under one key, else one for each call. */
function twiceOf(calls: readonly Call[], rows: readonly DecidedRow[]): number {
  const allowed = new Map<number, Set<string>>();
  for (const [i, { kind, userId, key }] of calls.entries()) {
    if (kind === "fail") continue;
    const asked = allowed.get(userId) ?? new Set();
    allowed.set(userId, asked.add(key ?? `call ${i}`));
  }
  const had = new Map<number, number>();
  for (const { user_id } of rows) had.set(user_id, (had.get(user_id) ?? 0) + 1);
  // A buyer who was refused all the time and has a row is told of elsewhere.
  return [...allowed].reduce((sum, [id, asked]) => sum + Math.max(0, (had.get(id) ?? 0) - asked.size), 0);
}

function isWrong(row: DecidedRow, price: number, call: Call | undefined): boolean {
  if (row.status === "FAILED") return row.amount !== null;
  return row.amount !== price * (row.quantity ?? 0) || (call !== undefined && call.quantity !== row.quantity);
}

/** A thousand times the same sentence helps nobody. */
function shortened(misses: readonly string[]): string[] {
  const more = misses.length - SHOWN_MAX;
  return more > 0 ? [...misses.slice(0, SHOWN_MAX), `and ${more} more`] : [...misses];
}
