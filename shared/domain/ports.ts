/**
 * What the programs need from the outside, in their own words. Each adapter (shared/mysql, shared/redis,
 * shared/kafka, the programs' repositories) implements one; each has an in-memory fake in shared/testing.
 */
import type { Decision, KnownOrder } from "./decide.ts";
import type { ErrorCode, Refusal } from "./errors.ts";
import type { NamedOrder } from "./order-message.ts";
import type { OrderMessage, OrderStatus } from "./order.ts";
import type { Page, PageRequest } from "./page.ts";
import type { Product } from "./product.ts";
import type { OrderView, Settlement, Total } from "./settlement.ts";
import type { Credentials, Role, User } from "./user.ts";

export interface Log {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  /** Someone must act. */
  error(fields: object, message: string): void;
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
  /** Also the answer to a second call for the same order: nothing more was taken. `value` is the message as stored. */
  | { readonly outcome: "reserved"; readonly order: OrderMessage; readonly value: string }
  /** The order is over already; nothing was taken. The facts are those of its acceptance. */
  | { readonly outcome: "already_decided"; readonly order: OrderMessage }
  /** The counters are missing. */
  | { readonly outcome: "not_loaded" }
  | { readonly outcome: Refusal };

export interface Reserved {
  readonly order: OrderMessage;
  readonly value: string;
}

export interface ProductCounters {
  readonly product: Product;
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
  /** The log has them: no sweep needed. */
  markPublished(orders: readonly Pick<OrderMessage, "orderId" | "productId">[]): Promise<void>;
  /**
   * Ends reservations by order id, each at most once: SUCCESS keeps the units sold, FAILED gives them back. Leaves a
   * tombstone so that a late copy of the same order takes nothing.
   */
  settle(orders: readonly SettledReservation[]): Promise<void>;
  /** Units left by product; a product without counters is missing from the map. */
  left(productIds: readonly number[]): Promise<ReadonlyMap<number, number>>;
  findReservation(productId: number, orderId: string): Promise<Reserved | null>;
  /** Reservations not known to be in the log, accepted at least `olderThanMs` ago by Redis' clock; oldest first. */
  unpublished(productId: number, olderThanMs: number, limit: number): Promise<readonly Reserved[]>;
  /** One step of a walk over all reservations; `cursor` "0" starts and ends it. */
  reservations(productId: number, cursor: string): Promise<{ cursor: string; reserved: readonly Reserved[] }>;
  /** Writes the counters when, and only when, there are none. Units held by living reservations are counted as taken. */
  load(counters: ProductCounters): Promise<"loaded" | "present">;
}

export interface SettledReservation {
  readonly order: NamedOrder & Partial<OrderMessage>;
  readonly as: "SUCCESS" | "FAILED";
}

/** Refused access tokens. Every API process knows of a revocation within REVOCATION_POLL_MS. */
export interface Revocations {
  revoke(jti: string, expiresAt: number): Promise<void>;
  isRevoked(jti: string): boolean;
}

export interface Lock {
  /** Runs `work` when the lock is free, else not at all. Spares work between processes; no safety rests on it. */
  tryWith(resource: string, ttlMs: number, work: () => Promise<void>): Promise<"ran" | "busy">;
}

// ---------------------------------------------------------------- Kafka

export interface OrderEvents {
  /** False when handing over is known to fail: refuse before anything is taken. */
  accepting(): boolean;
  /** Resolves when all in-sync replicas have it. A rejection means: the outcome is unknown. */
  publish(order: OrderMessage, value: string): Promise<void>;
}

export interface RawMessage {
  readonly topic: string;
  readonly partition: number;
  readonly offset: string;
  /** Epoch ms, as the producer or the broker stamped it. */
  readonly timestamp: number;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
}

export interface DeadLetter {
  readonly message: RawMessage;
  readonly error: string;
  readonly order?: NamedOrder;
}

export interface DeadLetterTopic {
  park(letters: readonly DeadLetter[]): Promise<void>;
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
  /** Which of these orders are decided. */
  decidedAmong(orderIds: readonly string[]): Promise<ReadonlySet<string>>;
}

export interface SettlementScope {
  readonly userId?: number;
  readonly productId?: number;
}

export interface SettlementReader {
  list(scope: SettlementScope, page: PageRequest<number>): Promise<Page<Settlement, number>>;
  latest(scope: SettlementScope): Promise<Settlement | null>;
  total(scope: { userId: number } | { productId: number }): Promise<readonly Total[]>;
}

/** What one batch of decisions needs and writes; bound to one transaction that holds the products' rows. */
export interface DecisionWriter {
  /** Locks the rows in id order (`FOR UPDATE`) and holds them until the end of the transaction. */
  lockProducts(ids: readonly number[]): Promise<ReadonlyMap<number, Product>>;
  knownUsers(ids: readonly number[]): Promise<ReadonlySet<number>>;
  existingOrders(ids: readonly string[]): Promise<ReadonlyMap<string, KnownOrder>>;
  /** Units in SUCCESS orders, keyed by `boughtKey`. */
  bought(pairs: readonly { productId: number; userId: number }[]): Promise<ReadonlyMap<string, number>>;
  /** Offset → error of those of one partition's messages that stand in the dead letters already. */
  parkedBefore(messages: readonly RawMessage[]): Promise<ReadonlyMap<string, string>>;
  /** Orders, history, settlements, running totals, products.sold. @throws when the stock guard does not hold: a bug. */
  write(decisions: readonly Decision[], decidedAt: number): Promise<void>;
  /**
   * Letters by (topic, partition, offset), and their named orders as FAILED; both may be there already.
   * @returns how each named order stands afterwards
   */
  park(letters: readonly DeadLetter[], parkedAt: number): Promise<ReadonlyMap<string, "SUCCESS" | "FAILED">>;
}

export interface DecisionStore {
  /** May run `work` more than once, so it touches nothing but the writer. */
  transaction<T>(work: (writer: DecisionWriter) => Promise<T>): Promise<T>;
  /** Those of these orders that are decided, with the facts they were decided on. */
  decided(orderIds: readonly string[]): Promise<ReadonlyMap<string, KnownOrder>>;
  /** Runs `work` while no decision about this product can commit; null when there is no such product. */
  whileLocked<T>(productId: number, work: (product: Product) => Promise<T>): Promise<T | null>;
  boughtByProduct(productId: number): ProductCounters["bought"];
  deadLetterCount(): Promise<number>;
}
