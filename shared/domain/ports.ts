/**
 * What the programs need from the outside, in their own words. Each adapter (shared/mysql, shared/redis,
 * shared/kafka, the programs' repositories) implements one; each has an in-memory fake in shared/testing.
 */
import type { AuditEntry, AuditNote } from "./audit.ts";
import type {
  DeadLetterFilter,
  DeadLetterStatus,
  DeadLetterSummary,
  StoredDeadLetter,
} from "./dead-letter.ts";
import type { Decision, KnownOrder } from "./decide.ts";
import type { ErrorCode, Refusal } from "./errors.ts";
import type { NamedOrder } from "./order-message.ts";
import type { OrderMessage, OrderStatus } from "./order.ts";
import type { Page, PageRequest } from "./page.ts";
import type { Product } from "./product.ts";
import type { DailyTotal, Extent, SummaryPeriod } from "./report.ts";
import type { OrderView, Settlement, SettlementFilter, Total } from "./settlement.ts";
import type { Credentials, Principal, Role, User } from "./user.ts";

export interface Log {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  /** Someone must act. */
  error(fields: object, message: string): void;
}

// ---------------------------------------------------------------- Traces

/** Contexts are values of the header `traceparent` (W3C Trace Context), valid ones. */
export interface Tracing {
  start(name: string, options: SpanOptions): Span;
}

export interface SpanOptions {
  readonly kind: "server" | "internal" | "producer" | "consumer" | "client";
  /** Undefined begins a trace. */
  readonly parent: string | undefined;
  readonly links?: readonly string[];
  readonly attributes?: Readonly<Record<string, string | number>>;
}

export interface Span {
  /** For what is done within this one. */
  readonly traceparent: string;
  /** Once; `name` when a better one has become known. */
  end(ending?: {
    readonly name?: string;
    readonly attributes?: Readonly<Record<string, string | number>>;
    readonly error?: unknown;
  }): void;
}

// ---------------------------------------------------------------- Redis: the user's slot

export interface OrderClaim {
  readonly userId: number;
  readonly productId: number;
  /** Taken when the key is new; an earlier attempt under the same key keeps its own. */
  readonly orderId: string;
  readonly key?: { readonly value: string; readonly requestHash: string };
}

/** The first answer under a key, as facts: the body is made from them again, byte for byte. */
export type Answer =
  | { readonly kind: "accepted"; readonly order: OrderMessage }
  | { readonly kind: "refused"; readonly code: ErrorCode; readonly traceId: string };

export type ClaimOutcome =
  | { readonly outcome: "claimed"; readonly orderId: string }
  /** Taken over from an attempt that died or never heard its end: it may have taken units under this id. */
  | { readonly outcome: "resumed"; readonly orderId: string }
  | { readonly outcome: "answered"; readonly answer: Answer }
  | { readonly outcome: "in_progress" }
  | { readonly outcome: "key_reused" };

export interface OrderClaims {
  /**
   * Claims the key (when there is one), takes the lock of (user, product), and notes the order as the user's, in one
   * round trip. A claim whose holder died may be taken over once CLAIM_LEASE_MS is over; it keeps its order id.
   */
  begin(claim: OrderClaim): Promise<ClaimOutcome>;
  /**
   * The final answer; kept for the key's 24 h. Idempotent. An accepted order stays noted as the user's pending one,
   * unless it is known to be decided.
   */
  answer(claim: OrderClaim, answer: Answer, order?: "pending" | "decided"): Promise<void>;
  /** Nothing was taken and nothing is remembered: the same key may come again as if new. */
  forget(claim: OrderClaim): Promise<void>;
  /** Taken, not confirmed: the same key may come again at once and goes on with the same order id. */
  leaveOpen(claim: OrderClaim): Promise<void>;
  /** Order id → product id of what this user ordered and is not known to be decided; at most PENDING_READ_MAX. */
  pendingOf(userId: number): Promise<ReadonlyMap<string, number>>;
  /** Product of one such order, or null. */
  pendingProductOf(userId: number, orderId: string): Promise<number | null>;
}

// ---------------------------------------------------------------- Redis: the product's slot

export type ReserveOutcome =
  /** Also the answer to a second call for the same order: nothing more was taken. `value` is the message as the log gets it. */
  | { readonly outcome: "reserved"; readonly order: OrderMessage; readonly value: string }
  /** The order is over already; nothing was taken. The facts are those of its acceptance. */
  | { readonly outcome: "already_decided"; readonly order: OrderMessage }
  /** The counters are missing. */
  | { readonly outcome: "not_loaded" }
  /** The counters are there, but nobody has vouched for them lately (`confirm`); nothing was taken. */
  | { readonly outcome: "unconfirmed" }
  | { readonly outcome: Refusal };

export type Confirmation =
  | { readonly outcome: "confirmed"; readonly epoch: number }
  /** The counters were older than `knownEpoch`: Redis lost what came later. They are deleted, the sale is shut. */
  | { readonly outcome: "rolled_back"; readonly epoch: number }
  | { readonly outcome: "not_loaded" };

export interface Counters {
  /** Below zero when Redis, after a loss of data, had promised more than there was. */
  readonly left: number;
  /** Units in living reservations. */
  readonly held: number;
  /** How often these counters were confirmed. It only grows, unless Redis goes back in time. */
  readonly epoch: number;
  /** Orders are accepted before it, epoch ms. */
  readonly endTime: number;
  /** Units on sale in all that `left` counts; -1 when counters of an earlier release do not say. */
  readonly stock: number;
}

/** What became of the wish to end a sale earlier, by the clock that accepts orders. */
export type EarlyEnd =
  /** Nothing is accepted at or after it any more, and nothing was: it is still to come. */
  | { readonly outcome: "ends"; readonly endTime: number }
  /** Nothing is changed: the wanted end has gone by, or is not after the sale's start. */
  | { readonly outcome: "past" | "not_begun" };

export interface Reserved {
  readonly order: OrderMessage;
  readonly value: string;
}

export interface ProductCounters {
  readonly product: Product;
  /** Above every epoch that this product's counters were ever confirmed under. */
  readonly epoch: number;
  /** Units each user holds in SUCCESS orders. */
  readonly bought: AsyncIterable<readonly { readonly userId: number; readonly quantity: number }[]>;
}

export interface StockStore {
  reserve(input: {
    orderId: string;
    userId: number;
    productId: number;
    quantity: number;
  }): Promise<ReserveOutcome>;
  /** Vouches for the counters for CONFIRMED_FOR_MS, unless their epoch is below the one known. */
  confirm(productId: number, knownEpoch: number): Promise<Confirmation>;
  /** The log has them: no sweep needed. */
  markPublished(orders: readonly Pick<OrderMessage, "orderId" | "productId">[]): Promise<void>;
  /**
   * Ends reservations by order id, each at most once: SUCCESS keeps the units sold, FAILED gives them back. Leaves a
   * tombstone so that a late copy of the same order takes nothing.
   */
  settle(orders: readonly SettledReservation[]): Promise<void>;
  /** Units left by product, never below zero; a product without counters is missing from the map. */
  left(productIds: readonly number[]): Promise<ReadonlyMap<number, number>>;
  /** Each product's numbers of one instant; a product without counters is missing from the map. */
  counters(productIds: readonly number[]): Promise<ReadonlyMap<number, Counters>>;
  findReservation(productId: number, orderId: string): Promise<Reserved | null>;
  /** Reservations not known to be in the log, accepted at least `olderThanMs` ago by Redis' clock; oldest first. */
  unpublished(productId: number, olderThanMs: number, limit: number): Promise<readonly Reserved[]>;
  /** One step of a walk over all reservations; `cursor` "0" starts and ends it. */
  reservations(productId: number, cursor: string): Promise<{ cursor: string; reserved: readonly Reserved[] }>;
  /** Writes the counters when, and only when, there are none. Units held by living reservations are counted as taken. */
  load(counters: ProductCounters): Promise<"loaded" | "present">;
  /** Deletes the counters: orders hear not_ready until they are loaded again. */
  shut(productId: number): Promise<void>;
  /**
   * Gives units back to the counters, and makes their end and stock the product's, when, and only when, they still stand
   * where the caller saw them: "moved" otherwise, with nothing changed. Harmless when it is executed late.
   */
  mend(
    product: Pick<Product, "id" | "stock" | "endTime">,
    units: number,
    seen: Counters,
  ): Promise<"mended" | "moved">;
  /** Puts units on sale that were added to the product's stock; each once, however often and late it is told of them. */
  raise(productId: number, stock: number): Promise<void>;
  /** Accepts nothing any more from `wanted` on, "now" being the next millisecond. Never makes the end later. */
  endEarly(product: Pick<Product, "id" | "startTime">, wanted: number | "now"): Promise<EarlyEnd>;
}

/** The epochs of Redis' counters, remembered where a loss of Redis does not reach. */
export interface StockEpochs {
  /** Highest epoch noted, by product; a product without one is missing from the map. */
  known(productIds: readonly number[]): Promise<ReadonlyMap<number, number>>;
  /** Never lowers what is noted. */
  note(epochs: ReadonlyMap<number, number>): Promise<void>;
}

export interface SettledReservation {
  readonly order: NamedOrder & Partial<OrderMessage>;
  readonly as: "SUCCESS" | "FAILED";
}

export interface AnsweredOrders {
  /** Answered 202 for the first time. */
  readonly accepted: number;
  /** Answered that nothing was taken (REFUSALS). */
  readonly refused: number;
}

/** What all API processes together answered to orders. For the eye: half a second of it may be lost with a process. */
export interface IntakeCounts {
  /** By product, and by step of latency (domain/latency.ts). */
  add(part: {
    readonly sales: ReadonlyMap<number, AnsweredOrders>;
    readonly latencies: readonly number[];
  }): Promise<void>;
  /** Sums by product, of all that were asked for. */
  answered(productIds: readonly number[]): Promise<ReadonlyMap<number, AnsweredOrders>>;
  latencies(): Promise<readonly number[]>;
}

/** Refused access tokens. Every API process knows of a revocation within REVOCATION_POLL_MS. */
export interface Revocations {
  revoke(jti: string, expiresAt: number): Promise<void>;
  /** Ends every token of a user that was issued up to then, epoch ms. */
  revokeAll(userId: number, issuedUntil: number): Promise<void>;
  isRevoked(token: Pick<Principal, "jti" | "userId" | "issuedAt">): boolean;
}

/** Where accounts have logged in before. Best effort: who is not remembered is a stranger. Names are hashed by the caller. */
export interface KnownAddresses {
  has(account: string, address: string): Promise<boolean>;
  remember(account: string, address: string): Promise<void>;
}

export interface TakenUnit {
  readonly outcome: "taken" | "refused";
  /** Units left in the window at hand, as far as this process knows. */
  readonly left: number;
  /** Until the limit is fresh again. */
  readonly endsInMs: number;
}

/** How many units one key may take in a window, over all API processes on average. Counts at once, without a round trip. */
export interface RateLimit {
  readonly points: number;
  readonly windowMs: number;
  take(key: string): TakenUnit;
}

/** Tells every process which orders were decided. A message may be lost: it is a hint to look, no news. */
export interface DecisionNews {
  tell(orderIds: readonly string[]): Promise<void>;
}

export interface Lock {
  /** Runs `work` when the lock is free, else not at all. Spares work between processes; no safety rests on it. */
  tryWith(resource: string, ttlMs: number, work: () => Promise<void>): Promise<"ran" | "busy">;
}

// ---------------------------------------------------------------- Kafka

export interface OrderEvents {
  /**
   * False when handing over is known to fail: refuse before anything is taken. While nobody knows whether the log is back,
   * one caller at a time hears true, and is the trial.
   */
  accepting(): boolean;
  /**
   * Resolves when all in-sync replicas have it. A rejection means: the outcome is unknown.
   * @param traceparent the context it is done in, for whoever decides the order
   */
  publish(order: OrderMessage, value: string, traceparent?: string): Promise<void>;
}

export interface RawMessage {
  readonly topic: string;
  readonly partition: number;
  readonly offset: string;
  /** Epoch ms, as the producer or the broker stamped it. */
  readonly timestamp: number;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  /** Of its header, when that is a valid one. */
  readonly traceparent?: string;
}

export interface DeadLetter {
  readonly message: RawMessage;
  readonly error: string;
  /** To be failed by name. */
  readonly order?: NamedOrder;
  /** What it is about, when that order was decided, and needs nothing more. */
  readonly decidedOrderId?: string;
}

export interface DeadLetterTopic {
  park(letters: readonly DeadLetter[]): Promise<void>;
}

/** Whether orders wait for their decision for too long. */
export interface BacklogAge {
  /** Whether some message older than this is not decided. */
  hasOlderThan(ms: number): Promise<boolean>;
}

export interface DeadLetterReplay {
  /**
   * Puts the letter's key and value into the orders topic again, as they came. Resolves when all in-sync replicas have
   * it; a rejection, after a bounded wait, means: the outcome is unknown.
   */
  send(letter: Pick<StoredDeadLetter, "key" | "value">): Promise<void>;
}

export interface BacklogWatch {
  /** End offset of each partition of the orders topic, now. */
  endOffsets(): Promise<ReadonlyMap<number, bigint>>;
  /** Whether the worker group has committed at least these. */
  hasReached(offsets: ReadonlyMap<number, bigint>): Promise<boolean>;
  /** Messages not decided yet, over all partitions. */
  lag(): Promise<bigint>;
}

// ---------------------------------------------------------------- MySQL

export interface UserRepository {
  /** @throws DomainError username_taken, email_taken */
  insert(user: { username: string; email: string; passwordHash: string; role: Role }): Promise<User>;
  findById(id: number): Promise<User | null>;
  findByLogin(login: { username: string } | { email: string }): Promise<Credentials | null>;
}

export type NewProduct = Omit<Product, "id" | "sold" | "createdAt">;

export interface ProductRepository {
  insert(product: NewProduct, createdBy: number): Promise<Product>;
  findById(id: number): Promise<Product | null>;
  list(page: PageRequest<number>): Promise<Page<Product, number>>;
  /** Sales that may have undecided orders: not over, or over since less than `endedWithinMs`; newest first. */
  active(now: number, endedWithinMs: number, limit: number): Promise<readonly Product[]>;
}

/** What a change of a sale needs and writes; bound to one transaction that holds the product's row. */
export interface SaleWriter {
  /** Locks the row and holds it until the end of the transaction: no decision about this product commits meanwhile. */
  lock(id: number): Promise<Product | null>;
  /** @throws when the stock would shrink or the end move back: a bug, under its own lock. */
  write(product: Pick<Product, "id" | "title" | "stock" | "endTime">): Promise<void>;
  /** In the same transaction: a change without its audit entry does not happen. */
  record: AuditTrail["record"];
}

export interface SaleStore {
  /** May run `work` more than once. @throws DomainError not_ready when the database is away or too contended */
  transaction<T>(work: (writer: SaleWriter) => Promise<T>): Promise<T>;
}

/** acceptedAt, then order id: the order in which lists of orders run, newest first. */
export type OrderPosition = readonly [acceptedAt: number, orderId: string];

export interface OrderFilter {
  readonly userId: number;
  readonly status?: OrderStatus;
  readonly productId?: number;
}

export interface OrderReader {
  findById(orderId: string): Promise<OrderView | null>;
  /** Decided orders, newest first; at most `page.limit` of them. */
  list(filter: OrderFilter, page: PageRequest<OrderPosition>): Promise<readonly OrderView[]>;
  /** Those of these orders that are decided. */
  findDecided(orderIds: readonly string[]): Promise<readonly OrderView[]>;
  /** Which of these orders are decided. */
  decidedAmong(orderIds: readonly string[]): Promise<ReadonlySet<string>>;
}

export interface SettlementReader {
  list(filter: SettlementFilter, page: PageRequest<number>): Promise<Page<Settlement, number>>;
  latest(filter: SettlementFilter): Promise<Settlement | null>;
  /** Of a user, of a product, or of all. */
  total(scope: { userId: number } | { productId: number } | "all"): Promise<readonly Total[]>;
}

/** Settlements as they stood at one instant, whatever is written meanwhile. */
export interface SettlementSnapshot {
  /** The first call is the instant. */
  extent(filter: SettlementFilter): Promise<Extent>;
  /** The running totals under the filter; null when none are kept for such a filter. */
  runningTotals(filter: SettlementFilter): Promise<readonly Total[] | null>;
  /** Rows of the extent in the order of their ids, a hundred at a time. */
  rows(filter: SettlementFilter, extent: Extent): AsyncIterable<readonly Settlement[]>;
  /** At most `SUMMARY_ROWS_MAX` + 1 rows, by day, product and currency. */
  daily(period: SummaryPeriod): Promise<readonly DailyTotal[]>;
  /** Gives the connection back. Never rejects. */
  close(): Promise<void>;
}

export interface SettlementSnapshots {
  /**
   * Takes a connection of its own. When the signal is aborted, a statement that runs is ended, and all that is asked of the
   * snapshot afterwards rejects. @throws DomainError not_ready
   */
  open(signal: AbortSignal): Promise<SettlementSnapshot>;
}

/** A product and its number of settlements, both of one instant: what is sold is what is settled. */
export interface WatchedProduct extends Product {
  readonly settled: number;
}

export interface LiveReader {
  /** Sales that are not over, or over since less than `endedWithinMs`; newest first. */
  sales(now: number, endedWithinMs: number, limit: number): Promise<readonly WatchedProduct[]>;
  /** Dead letters that nobody has handled. */
  parkedLetters(): Promise<number>;
}

/** What was done by administrators; rows are added, never changed. */
export interface AuditTrail {
  record(note: AuditNote): Promise<void>;
  /** Newest first. */
  list(filter: { readonly target?: string }, page: PageRequest<number>): Promise<Page<AuditEntry, number>>;
}

/** What one act on a dead letter needs and writes; bound to one transaction. */
export interface DeadLetterWriter {
  /** Locks the row and holds it until the end of the transaction: who comes second sees what the first one did. */
  lock(id: number): Promise<StoredDeadLetter | null>;
  /** Status of a decided order; null when there is none. */
  orderStatus(orderId: string): Promise<"SUCCESS" | "FAILED" | null>;
  /** From 'parked' only. @throws when the letter is not: a bug, under its own lock. */
  handle(id: number, as: Exclude<DeadLetterStatus, "parked">, handledAt: number): Promise<void>;
  /** In the same transaction: an act without its audit entry does not happen. */
  record: AuditTrail["record"];
}

export interface DeadLetterStore {
  /** Newest first. */
  list(filter: DeadLetterFilter, page: PageRequest<number>): Promise<Page<DeadLetterSummary, number>>;
  find(id: number): Promise<StoredDeadLetter | null>;
  /** Runs `work` once. @throws DomainError not_ready when the database is away or too contended. */
  transaction<T>(work: (writer: DeadLetterWriter) => Promise<T>): Promise<T>;
}

/** What one batch of decisions needs and writes; bound to one transaction that holds the products' rows. */
export interface DecisionWriter {
  /** Locks the rows in id order (`FOR UPDATE`) and holds them until the end of the transaction. */
  lockProducts(ids: readonly number[]): Promise<ReadonlyMap<number, Product>>;
  knownUsers(ids: readonly number[]): Promise<ReadonlySet<number>>;
  existingOrders(ids: readonly string[]): Promise<ReadonlyMap<string, KnownOrder>>;
  /** Units in SUCCESS orders, keyed by `boughtKey`. */
  bought(pairs: readonly { productId: number; userId: number }[]): Promise<ReadonlyMap<string, number>>;
  /** `placeOf` → error of those messages that stand in the dead letters already. */
  parkedBefore(messages: readonly RawMessage[]): Promise<ReadonlyMap<string, string>>;
  /** Orders, history, settlements, running totals, products.sold. @throws when the stock guard does not hold: a bug. */
  write(decisions: readonly Decision[], decidedAt: number): Promise<void>;
  /**
   * Letters by (topic, partition, offset), and their named orders as FAILED; both may be there already.
   * @returns how each named order stands afterwards
   */
  park(letters: readonly DeadLetter[], parkedAt: number): Promise<ReadonlyMap<string, "SUCCESS" | "FAILED">>;
}

/** What the database has decided, for those who compare Redis with it. */
export interface Ledger {
  /** Those of these orders that are decided, with the facts they were decided on. */
  decided(orderIds: readonly string[]): Promise<ReadonlyMap<string, KnownOrder>>;
  /**
   * Runs `work` while no decision about this product can commit; null when there is no such product. May run `work` more
   * than once.
   */
  whileLocked<T>(productId: number, work: (product: Product) => Promise<T>): Promise<T | null>;
  boughtByProduct(productId: number): ProductCounters["bought"];
}

export interface DecisionStore extends Ledger {
  /** May run `work` more than once, so it touches nothing but the writer. */
  transaction<T>(work: (writer: DecisionWriter) => Promise<T>): Promise<T>;
  /** Letters that nobody has handled. */
  deadLetterCount(): Promise<number>;
  /** When the oldest of them was parked, epoch ms; null when there is none. */
  oldestDeadLetterAt(): Promise<number | null>;
}
