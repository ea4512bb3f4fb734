import { DomainError, type ErrorCode } from "../../shared/domain/errors.ts";
import type { OrderMessage } from "../../shared/domain/order.ts";
import type {
  Log,
  OrderClaim,
  OrderClaims,
  OrderEvents,
  ProductRepository,
  Reserved,
  StockStore,
  Tracing,
} from "../../shared/domain/ports.ts";
import { traced } from "../../shared/domain/trace-context.ts";
import type { Principal } from "../../shared/domain/user.ts";
import { REFUSAL_TEXTS } from "./refusal-texts.ts";
import { derivedOrderId, newOrderId } from "./order-id.ts";

export interface PlaceOrder {
  readonly principal: Principal;
  readonly productId: number;
  readonly quantity: number;
  readonly idempotencyKey?: string;
  readonly traceId: string;
  /** The context of the request, for what is done in it. */
  readonly traceparent?: string;
}

export interface PlacedOrder {
  readonly order: OrderMessage;
  /** The first answer under this key, again. */
  readonly replayed: boolean;
}

export interface OrderServiceDependencies {
  readonly claims: OrderClaims;
  readonly stock: Pick<StockStore, "reserve">;
  readonly events: OrderEvents;
  /** Whether undecided orders are too old to take more. */
  readonly overdue: () => boolean;
  readonly products: Pick<ProductRepository, "findById">;
  readonly log: Log;
  readonly tracing?: Tracing | undefined;
  readonly now: () => number;
  readonly observe: (outcome: IntakeOutcome, seconds: number, productId: number) => void;
}

/** A replay took nothing: it is no second acceptance. */
export type IntakeOutcome = "accepted" | "replayed" | ErrorCode;

export type OrderService = ReturnType<typeof createOrderService>;

/** Intake (flow.md §1). What it answers 202 to is in the log, and will be decided. */
export function createOrderService(dependencies: OrderServiceDependencies) {
  const { claims, stock, events, overdue, products, log, tracing, now, observe } = dependencies;
  return { place };

  /** @throws DomainError with every code of contract §1 that an order can hear */
  async function place(request: PlaceOrder): Promise<PlacedOrder> {
    const startedAt = performance.now();
    let outcome: IntakeOutcome = "internal";
    try {
      const placed = await placeOnce(request);
      outcome = placed.replayed ? "replayed" : "accepted";
      return placed;
    } catch (error) {
      if (error instanceof DomainError) outcome = error.details.replayOf ? "replayed" : error.code;
      throw error;
    } finally {
      observe(outcome, (performance.now() - startedAt) / 1_000, request.productId);
    }
  }

  async function placeOnce(request: PlaceOrder): Promise<PlacedOrder> {
    const asked = claimOf(request);
    const begun = await claims.begin(asked).catch((cause: unknown) => {
      throw notReady("Orders cannot be taken right now.", cause);
    });
    switch (begun.outcome) {
      case "answered":
        if (begun.answer.kind === "accepted") return { order: begun.answer.order, replayed: true };
        throw refusal(begun.answer.code, { replayOf: { traceId: begun.answer.traceId } });
      case "in_progress":
        throw new DomainError("order_in_progress", REFUSAL_TEXTS.order_in_progress, { retryAfterS: 1 });
      case "key_reused":
        throw new DomainError("idempotency_key_reused", REFUSAL_TEXTS.idempotency_key_reused);
      case "claimed":
      case "resumed": {
        const claim = { ...asked, orderId: begun.orderId };
        return await go(claim, request, begun.outcome === "claimed" ? claims.forget : claims.leaveOpen);
      }
    }
  }

  /** @param undo what becomes of the claim when nothing was taken by this attempt */
  async function go(
    claim: OrderClaim,
    { quantity, traceId, traceparent: parent }: PlaceOrder,
    undo: (claim: OrderClaim) => Promise<void>,
  ): Promise<PlacedOrder> {
    const { orderId, userId, productId } = claim;
    if (!events.accepting()) {
      later(undo(claim), claim.orderId, traceId);
      throw notReady("Orders cannot be handed over right now.");
    }
    if (overdue()) {
      later(undo(claim), claim.orderId, traceId);
      throw notReady("Too many orders wait for their decision.");
    }
    const reserved = await traced(tracing, "reserve units", { kind: "internal", parent }, () =>
      stock.reserve({ orderId, userId, productId, quantity }),
    ).catch((cause: unknown) => {
      if (cause instanceof DomainError) {
        later(undo(claim), claim.orderId, traceId);
        throw cause;
      }
      // The reply was lost, or never came: the units may be taken, and then the sweeper hands the order over.
      later(claims.leaveOpen(claim), claim.orderId, traceId);
      throw outcomeUnknown(cause);
    });
    switch (reserved.outcome) {
      case "reserved":
        await handOver(claim, reserved, traceId, parent);
        later(claims.answer(claim, { kind: "accepted", order: reserved.order }), claim.orderId, traceId);
        return { order: reserved.order, replayed: false };
      case "already_decided":
        later(
          claims.answer(claim, { kind: "accepted", order: reserved.order }, "decided"),
          claim.orderId,
          traceId,
        );
        return { order: reserved.order, replayed: true };
      case "not_loaded":
      case "unconfirmed":
        return await notLoaded(claim, traceId, undo);
      default:
        return refuse(claim, reserved.outcome, traceId);
    }
  }

  async function handOver(
    claim: OrderClaim,
    { order, value }: Reserved,
    traceId: string,
    parent: string | undefined,
  ): Promise<void> {
    try {
      await events.publish(order, value, parent);
    } catch (cause) {
      // The log may have it: giving the units back could sell them twice. The sweeper, or the same key again, hands
      // the same order over once more.
      log.warn({ err: cause, orderId: order.orderId, traceId }, "hand-over not confirmed");
      later(claims.leaveOpen(claim), claim.orderId, traceId);
      throw outcomeUnknown(cause);
    }
  }

  async function notLoaded(
    claim: OrderClaim,
    traceId: string,
    undo: (claim: OrderClaim) => Promise<void>,
  ): Promise<never> {
    const product = await products.findById(claim.productId).catch((cause: unknown) => {
      later(undo(claim), claim.orderId, traceId);
      throw notReady("This sale is being prepared.", cause);
    });
    if (!product) return refuse(claim, "not_found", traceId);
    // Counters of sales that ended long ago are not kept.
    if (product.endTime <= now()) return refuse(claim, "sale_closed", traceId);
    later(undo(claim), claim.orderId, traceId);
    throw notReady("This sale is being prepared.");
  }

  function refuse(claim: OrderClaim, code: RememberedCode, traceId: string): never {
    later(claims.answer(claim, { kind: "refused", code, traceId }), claim.orderId, traceId);
    throw refusal(code);
  }

  function claimOf({ principal, productId, quantity, idempotencyKey }: PlaceOrder): OrderClaim {
    const { userId } = principal;
    if (idempotencyKey === undefined) return { userId, productId, orderId: newOrderId() };
    const requestHash = `${productId}:${quantity}`;
    const orderId = derivedOrderId(userId, idempotencyKey, requestHash, now());
    return { userId, productId, orderId, key: { value: idempotencyKey, requestHash } };
  }

  /** Not awaited: the answer is the same, and a claim that can't be closed runs out by its lease. */
  function later(work: Promise<void>, orderId: string, traceId: string): void {
    work.catch((error: unknown) => {
      log.debug({ err: error, orderId, traceId }, "claim not closed; its lease ends it");
    });
  }
}

type RememberedCode = keyof typeof REFUSAL_TEXTS;

function refusal(code: ErrorCode, details: ConstructorParameters<typeof DomainError>[2] = {}): DomainError {
  const text = (REFUSAL_TEXTS as Partial<Record<ErrorCode, string>>)[code];
  return new DomainError(code, text ?? "The order was refused.", details);
}

function notReady(message: string, cause?: unknown): DomainError {
  return new DomainError(
    "not_ready",
    `${message} Nothing was taken; try again shortly.`,
    { retryAfterS: 1 },
    { cause },
  );
}

function outcomeUnknown(cause: unknown): DomainError {
  return new DomainError("outcome_unknown", REFUSAL_TEXTS.outcome_unknown, { retryAfterS: 1 }, { cause });
}
