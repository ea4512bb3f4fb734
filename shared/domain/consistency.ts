import type { BacklogWatch } from "./ports.ts";

/** What one rule of the invariants was found to be. */
export interface CheckResult {
  readonly invariant: string;
  readonly rule: string;
  /** unsettled: orders are under way that this rule has to see ended before it can be judged. */
  readonly state: "ok" | "broken" | "unsettled";
  /** What breaks it, at most ROWS_SHOWN_MAX; empty unless broken. */
  readonly rows: readonly object[];
  /** How many rows break it in all. */
  readonly offenders: number;
  /** How many rows were looked at. */
  readonly checked: number;
  /** Found and told, without breaking anything by itself. */
  readonly counted?: number;
  readonly ms: number;
}

/** What a rule found, before anybody measured how long that took. */
export type Finding = Omit<CheckResult, "ms">;

export const ROWS_SHOWN_MAX = 20;
/** Older than any sweep or reconciliation: what is still open by then is stuck. */
export const STUCK_AFTER_MS = 30_000;

export interface CheckOptions {
  /** One product; without it all of them, and what spans them. */
  readonly productId?: number;
  /** Nothing may be under way any more: what still is breaks its rule. */
  readonly drained?: boolean;
  /** Ends of the log that the workers have had time enough to reach. */
  readonly mark?: ReadonlyMap<number, bigint>;
  /** How many dead letters there should be; without it they are only counted. */
  readonly deadLetters?: number;
  /** Orders that were accepted and then failed are counted, not held against anybody: Redis has lost data. */
  readonly allowFailed?: boolean;
  /** Told of each pass over a table when it is over. */
  readonly onPass?: (table: string) => void;
  readonly signal?: AbortSignal;
}

export interface SaleStock {
  readonly productId: number;
  readonly stock: number;
  readonly sold: number;
  /** By the database's clock: nobody can order any more. */
  readonly over: boolean;
  /** Time since it was made, by the database's clock. */
  readonly ageMs: number;
}

/** What the database alone can prove; what one rule compares, in one snapshot of it. */
export interface InvariantReader {
  /** How many results `results` will give, and how many passes over tables it tells of before. */
  count(options: CheckOptions): { readonly results: number; readonly passes: number };
  /** In no order: see `byInvariant`. */
  results(options: CheckOptions): AsyncIterable<CheckResult>;
  /** As they are now, in no snapshot. */
  sales(productId?: number): Promise<readonly SaleStock[]>;
}

/** As they are listed: what is read side by side comes as it ends. */
export const byInvariant = (results: readonly CheckResult[]): CheckResult[] =>
  results.toSorted((a, b) => Number(a.invariant.slice(1)) - Number(b.invariant.slice(1)));

export interface StockLook {
  /** null: the counters are missing. */
  readonly left: number | null;
  readonly reservations: number;
}

export interface HeldOrder {
  readonly productId: number;
  readonly orderId: string;
}

/** Reads what Redis holds, and writes nothing. */
export interface StockAudit {
  look(productIds: readonly number[]): Promise<ReadonlyMap<number, StockLook>>;
  /** Reservations not known to be in the log, accepted at least `olderThanMs` ago by Redis' clock. */
  unpublished(productIds: readonly number[], olderThanMs: number): Promise<readonly HeldOrder[]>;
  /** Whether a reservation is left that was accepted at least `olderThanMs` ago. */
  heldLongerThan(productId: number, olderThanMs: number): Promise<boolean>;
}

export interface ConsistencyDependencies {
  readonly database: InvariantReader;
  readonly stock: StockAudit;
  readonly backlog: Pick<BacklogWatch, "endOffsets" | "hasReached" | "lag">;
  /** Milliseconds of any steady clock. */
  readonly elapsed: () => number;
}

export interface UnderWay {
  /** Messages in the log that are not decided yet. */
  readonly orders: number;
  readonly reservations: number;
  /** Sales that are not over and have no counters. */
  readonly notLoaded: number;
}

export type Consistency = ReturnType<typeof createConsistency>;

/** Rules between Redis, Kafka and the database: the rest of what `check` gives. */
const LIVE_RULES = 5;

/** Every invariant that the servers alone can prove (docs/operations.md, "verify"). */
export function createConsistency({ database, stock, backlog, elapsed }: ConsistencyDependencies) {
  return { check, underWay, total };

  /** How many results `check` gives, and passes it tells of. */
  function total(options: CheckOptions): number {
    const { results, passes } = database.count(options);
    return results + passes + LIVE_RULES;
  }

  async function* check(options: CheckOptions): AsyncGenerator<CheckResult> {
    const mark = options.mark ?? (await backlog.endOffsets());
    yield* database.results(options);
    let startedAt = elapsed();
    for (const finding of await liveFindings(options, mark)) {
      yield { ...finding, ms: Math.round(elapsed() - startedAt) };
      startedAt = elapsed();
    }
  }

  async function underWay(productId?: number): Promise<UnderWay> {
    const lag = await backlog.lag();
    const sales = await database.sales(productId);
    const looks = await stock.look(sales.map((sale) => sale.productId));
    let reservations = 0;
    for (const look of looks.values()) reservations += look.reservations;
    const notLoaded = sales.filter((sale) => !sale.over && looks.get(sale.productId)?.left == null).length;
    return { orders: Number(lag), reservations, notLoaded };
  }

  async function liveFindings(options: CheckOptions, mark: ReadonlyMap<number, bigint>): Promise<Finding[]> {
    const reached = await backlog.hasReached(mark);
    // Redis, then MySQL, then Redis again: what did not change between the two looks can be set against what lies between.
    const ids = (await database.sales(options.productId)).map(({ productId }) => productId);
    const before = await stock.look(ids);
    const sales = await database.sales(options.productId);
    const after = await stock.look(ids);
    const seen = sales
      .filter(({ productId }) => before.has(productId))
      .map((sale): SeenSale => {
        const now = after.get(sale.productId) ?? MISSING;
        return { ...sale, ...now, moving: moving(before.get(sale.productId) ?? MISSING, now) };
      });
    return [
      withinStock(seen, options.drained === true),
      await drainedStock(seen, reached, options.drained === true),
      loaded(seen, options.drained === true),
      await published(seen),
      caughtUp(reached, options),
    ];
  }

  /** `decided`: the log holds nothing more that could end a reservation of long ago. */
  async function drainedStock(
    seen: readonly SeenSale[],
    decided: boolean,
    drained: boolean,
  ): Promise<Finding> {
    const rows: object[] = [];
    let unsettled = false;
    for (const sale of seen) {
      const { productId, stock: units, sold, left, reservations } = sale;
      if (sale.moving && !drained) {
        const stuck = reservations > 0 && decided && (await stock.heldLongerThan(productId, STUCK_AFTER_MS));
        if (stuck) rows.push({ productId, stock: units, sold, left, reservations });
        else unsettled = true;
      } else if (reservations > 0 || (left !== null && left !== units - sold)) {
        rows.push({ productId, stock: units, sold, left, reservations });
      }
    }
    const rule = "per product, drained: stock − left in Redis = units sold, and no reservation is left";
    return found("I3", rule, rows, seen.length, unsettled);
  }

  async function published(seen: readonly SeenSale[]): Promise<Finding> {
    const ids = seen.map(({ productId }) => productId);
    const stuck = await stock.unpublished(ids, STUCK_AFTER_MS);
    return found("I4", "no order waits for the log for more than 30 s", stuck, seen.length);
  }
}

type SeenSale = SaleStock & StockLook & { readonly moving: boolean };

const MISSING: StockLook = { left: null, reservations: 0 };

const moving = (before: StockLook, after: StockLook): boolean =>
  before.reservations > 0 || after.reservations > 0 || before.left !== after.left;

/** Below zero, Redis has lost data and had promised more than there was: what of it is undecided fails, and gives back. */
function withinStock(seen: readonly SeenSale[], drained: boolean): Finding {
  const outside = seen.filter(({ left, stock }) => left !== null && (left < 0 || left > stock));
  const rows = outside
    .filter(({ left, stock, moving }) => drained || !moving || (left ?? 0) > stock)
    .map(({ productId, stock, left }) => ({ productId, stock, left }));
  const rule =
    "per product: 0 ≤ left in Redis ≤ stock; below 0 only until what a data loss promised is decided";
  return found("I3", rule, rows, seen.length, outside.length > 0);
}

function loaded(seen: readonly SeenSale[], drained: boolean): Finding {
  const missing = seen.filter(({ left, over }) => left === null && !over);
  const rows = missing
    .filter(({ ageMs }) => drained || ageMs >= STUCK_AFTER_MS)
    .map(({ productId, stock, sold }) => ({ productId, stock, sold, left: "not loaded" }));
  const rule = "the counters of every sale that is not over are loaded";
  return found("I3", rule, rows, seen.length, missing.length > 0);
}

function caughtUp(reached: boolean, { drained, mark }: CheckOptions): Finding {
  const late = drained === true || mark !== undefined;
  const rows = !reached && late ? [{ log: "not decided to the end" }] : [];
  return found("I11", "the worker group has decided everything in the log", rows, 1, !reached);
}

function found(
  invariant: string,
  rule: string,
  rows: readonly object[],
  checked: number,
  unsettled = false,
): Finding {
  const state = rows.length > 0 ? "broken" : unsettled ? "unsettled" : "ok";
  return { invariant, rule, state, rows: rows.slice(0, ROWS_SHOWN_MAX), offenders: rows.length, checked };
}
