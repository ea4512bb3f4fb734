import { percentileMs } from "../../shared/domain/latency.ts";
import type {
  AnsweredOrders,
  BacklogAge,
  BacklogWatch,
  IntakeCounts,
  LiveReader,
  Log,
  WatchedProduct,
} from "../../shared/domain/ports.ts";
import { saleState, type Product, type SaleState } from "../../shared/domain/product.ts";
import type { StockAudit, StockLook } from "../../shared/domain/consistency.ts";

/** Sales that are not over, or over since less than this, are shown. */
const ENDED_WITHIN_MS = 24 * 3_600_000;
const SALES_MAX = 100;
/** What a server does not answer within this is shown as it was, and as unknown once that is too old. */
const READ_TIMEOUT_MS = 900;
const STALE_MS = 5_000;
/** Snapshots over which percentiles are taken. */
const LATENCY_WINDOW = 10;
const AGE_FIRST_MS = 500;
const AGE_MAX_MS = 7 * 24 * 3_600_000;
/** Each halves what is not known of the age. */
const AGE_REFINEMENTS = 2;

export interface LiveSale extends WatchedProduct, AnsweredOrders {
  readonly state: SaleState;
  /** By the counters; null when they are not loaded, or Redis is away. */
  readonly stockLeft: number | null;
  /** Orders that hold units and are not known to be decided. */
  readonly undecided: number | null;
  /** Since the snapshot before; null in the first one. */
  readonly perSecond: Rates | null;
}

export interface Rates {
  readonly accepted: number;
  readonly refused: number;
  readonly settled: number;
}

/** Over all processes; null: the server that knows does not answer. */
export interface LiveSnapshot {
  /** Epoch ms. */
  readonly at: number;
  readonly sales: readonly LiveSale[];
  /** Messages in the log that are not decided. */
  readonly lag: number | null;
  /** The oldest of them is younger than this. */
  readonly oldestMs: number | null;
  readonly deadLetters: number | null;
  /** Of the answers to orders in the last ten seconds; null also when there were none. */
  readonly answers: { readonly p50Ms: number | null; readonly p99Ms: number | null };
}

export interface LiveViewDependencies {
  readonly stock: Pick<StockAudit, "look">;
  readonly counts: Pick<IntakeCounts, "answered" | "latencies">;
  readonly database: LiveReader;
  readonly backlog: Pick<BacklogWatch, "lag"> & BacklogAge;
  readonly log: Log;
  readonly now: () => number;
}

export type LiveView = ReturnType<typeof createLiveView>;

/** What an administrator watches: each look reads the servers, and compares with the look before. */
export function createLiveView(dependencies: LiveViewDependencies) {
  const { stock, counts, database, backlog, log, now } = dependencies;
  const salesNow = patient((at: number) => database.sales(at, ENDED_WITHIN_MS, SALES_MAX));
  const looks = patient(stock.look);
  const answered = patient(counts.answered);
  const latencies = patient(counts.latencies);
  const deadLetters = patient(database.parkedLetters);
  const undecided = patient(undecidedNow);
  /** What was known last stands in for what is not known now. */
  let known: readonly WatchedProduct[] = [];
  let before: LiveSnapshot | undefined;
  let latencyWindow: (readonly number[])[] = [];
  return { look };

  async function look(): Promise<LiveSnapshot> {
    const at = now();
    known = (await salesNow(at)) ?? known;
    const ids = known.map(({ id }) => id);
    const [left, answers, steps, letters, waiting] = await Promise.all([
      looks(ids),
      answered(ids),
      latencies(),
      deadLetters(),
      undecided(),
    ]);
    const last = before;
    before = {
      at,
      sales: known.map((product) => {
        const earlier = last?.sales.find(({ id }) => id === product.id);
        const counted = answers?.get(product.id) ?? earlier ?? { accepted: 0, refused: 0 };
        const sums = { accepted: counted.accepted, refused: counted.refused, settled: product.settled };
        const perSecond = last && earlier ? rates(earlier, sums, at - last.at) : null;
        return { ...product, ...standing(product, left?.get(product.id), at), ...sums, perSecond };
      }),
      lag: waiting?.lag ?? null,
      oldestMs: waiting?.oldestMs ?? null,
      deadLetters: letters,
      answers: percentiles(steps),
    };
    return before;
  }

  async function undecidedNow(): Promise<Pick<LiveSnapshot, "lag" | "oldestMs">> {
    const lag = Number(await backlog.lag());
    return { lag, oldestMs: lag === 0 ? 0 : await oldest() };
  }

  /** By asking the log, twice as far back each time, and then in between. */
  async function oldest(): Promise<number> {
    let above = AGE_FIRST_MS;
    while (above < AGE_MAX_MS && (await backlog.hasOlderThan(above))) above *= 2;
    let below = above === AGE_FIRST_MS ? 0 : above / 2;
    for (let n = 0; n < AGE_REFINEMENTS; n += 1) {
      const middle = (above + below) / 2;
      if (await backlog.hasOlderThan(middle)) below = middle;
      else above = middle;
    }
    return Math.round(above);
  }

  function percentiles(steps: readonly number[] | null): LiveSnapshot["answers"] {
    if (steps === null) return { p50Ms: null, p99Ms: null };
    latencyWindow = [...latencyWindow, steps].slice(-LATENCY_WINDOW - 1);
    const first = latencyWindow[0] ?? steps;
    const recent = steps.map((count, step) => Math.max(0, count - (first[step] ?? 0)));
    return { p50Ms: percentileMs(recent, 0.5), p99Ms: percentileMs(recent, 0.99) };
  }

  /** One reading at a time, awaited for a bounded time: what is late is told the next time, what fails is null. */
  function patient<Args extends unknown[], T>(read: (...args: Args) => Promise<T>) {
    let underWay: Promise<void> | undefined;
    let last: { readonly value: T | null; readonly at: number } = { value: null, at: -Infinity };
    return async (...args: Args): Promise<T | null> => {
      underWay ??= read(...args)
        .catch((error: unknown) => {
          log.debug({ err: error }, "not read for the live view");
          return null;
        })
        .then((value) => {
          last = { value, at: now() };
          underWay = undefined;
        });
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, READ_TIMEOUT_MS);
      });
      await Promise.race([underWay, late]);
      clearTimeout(timer);
      return now() - last.at <= STALE_MS ? last.value : null;
    };
  }
}

function standing(product: Product, look: StockLook | undefined, at: number) {
  const stockLeft = look?.left == null ? null : Math.max(0, look.left);
  const left = stockLeft ?? product.stock - product.sold;
  return { stockLeft, undecided: look?.reservations ?? null, state: saleState(product, left, at) };
}

/** Never below zero: counts that begin anew (Redis was emptied) are no orders taken back. */
function rates(before: Rates, after: Rates, ms: number): Rates {
  const rate = (name: keyof Rates) => Math.max(0, ((after[name] - before[name]) * 1_000) / Math.max(1, ms));
  return { accepted: rate("accepted"), refused: rate("refused"), settled: rate("settled") };
}
