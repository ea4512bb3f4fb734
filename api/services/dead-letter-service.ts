import { targetOf, type AuditAction, type AuditEntry, type AuditState } from "../../shared/domain/audit.ts";
import type {
  DeadLetterFilter,
  DeadLetterStatus,
  DeadLetterSummary,
  StoredDeadLetter,
} from "../../shared/domain/dead-letter.ts";
import { DomainError } from "../../shared/domain/errors.ts";
import type { OrderStatus } from "../../shared/domain/order.ts";
import { PAGE_LIMIT_MAX, type Page, type PageRequest } from "../../shared/domain/page.ts";
import type {
  AuditTrail,
  DeadLetterReplay,
  DeadLetterStore,
  DeadLetterWriter,
  Log,
  OrderReader,
} from "../../shared/domain/ports.ts";
import type { Principal } from "../../shared/domain/user.ts";

export interface InspectedLetter {
  readonly letter: StoredDeadLetter;
  /** Of the decided order that the letter names; null when there is none. */
  readonly orderStatus: OrderStatus | null;
  /** Newest first, the latest PAGE_LIMIT_MAX. */
  readonly audit: readonly AuditEntry[];
}

export interface HandledLetter {
  readonly id: number;
  readonly status: Exclude<DeadLetterStatus, "parked">;
  readonly handledAt: number;
  readonly orderId: string | null;
  /** How the order stood before this act. */
  readonly orderStatusBefore: OrderStatus | null;
}

export interface DeadLetterServiceDependencies {
  readonly letters: DeadLetterStore;
  readonly audit: AuditTrail;
  readonly orders: Pick<OrderReader, "findById">;
  readonly replays: DeadLetterReplay;
  readonly log: Log;
  readonly now: () => number;
}

/** What differs between one act and another. */
interface Act {
  readonly traceId: string | undefined;
  readonly action: AuditAction;
  readonly to: HandledLetter["status"];
  readonly reason?: string;
  /** What happens outside the database, under the letter's lock; when it throws, the letter stays parked. */
  readonly effect?: (letter: StoredDeadLetter) => Promise<void>;
}

type Ending =
  | { readonly outcome: "done"; readonly handled: HandledLetter }
  | { readonly outcome: "came_second"; readonly status: DeadLetterStatus }
  | { readonly outcome: "failed"; readonly cause: unknown };

export type DeadLetterService = ReturnType<typeof createDeadLetterService>;

/** What administrators do about messages that could not be decided. Each letter is handled once, each act is audited. */
export function createDeadLetterService(dependencies: DeadLetterServiceDependencies) {
  const { letters, audit, orders, replays, log, now } = dependencies;
  return { list, inspect, replay, discard };

  function list(
    filter: DeadLetterFilter,
    page: PageRequest<number>,
  ): Promise<Page<DeadLetterSummary, number>> {
    return letters.list(filter, page);
  }

  async function inspect(id: number): Promise<InspectedLetter> {
    const letter = await letters.find(id);
    if (!letter) throw notFound();
    const order = letter.orderId === null ? null : await orders.findById(letter.orderId);
    const entries = await audit.list({ target: targetOf("dead_letter", id) }, { limit: PAGE_LIMIT_MAX });
    return { letter, orderStatus: order?.status ?? null, audit: entries.rows };
  }

  /**
   * Puts the message into the orders topic again. What comes of it is the worker's to decide, by its own rules: an order
   * that is decided already stays as it is.
   */
  function replay(admin: Principal, id: number, traceId?: string): Promise<HandledLetter> {
    return perform(admin, id, {
      action: "dead_letter.replay",
      to: "replayed",
      effect: (letter) => replays.send(letter),
      traceId,
    });
  }

  function discard(admin: Principal, id: number, reason: string, traceId?: string): Promise<HandledLetter> {
    return perform(admin, id, { action: "dead_letter.discard", to: "discarded", reason, traceId });
  }

  async function perform(admin: Principal, id: number, act: Act): Promise<HandledLetter> {
    const ending = await underLock(admin, id, act);
    const fields = { adminId: admin.userId, letterId: id, action: act.action, traceId: act.traceId };
    switch (ending?.outcome) {
      case undefined:
        throw notFound();
      case "came_second":
        log.info(fields, "dead letter was handled before");
        throw new DomainError("dead_letter_handled", `This dead letter is ${ending.status} already.`);
      case "failed":
        log.warn({ ...fields, err: ending.cause }, "dead letter not handed over; it stays parked");
        throw outcomeUnknown();
      case "done":
        log.info({ ...fields, orderId: ending.handled.orderId }, `dead letter ${act.to}`);
        return ending.handled;
    }
  }

  async function underLock({ userId }: Principal, id: number, act: Act): Promise<Ending | null> {
    const message = { taken: false };
    try {
      return await letters.transaction(async (writer) => {
        const letter = await writer.lock(id);
        if (!letter) return null;
        return await ended(writer, letter, { ...act, adminId: userId }, () => (message.taken = true));
      });
    } catch (error) {
      // The log has the message, and the database does not say so. Replaying it again changes nothing.
      if (message.taken) throw outcomeUnknown(error);
      throw error;
    }
  }

  async function ended(
    writer: DeadLetterWriter,
    letter: StoredDeadLetter,
    { action, to, reason, effect, adminId }: Act & { adminId: number },
    onTaken: () => void,
  ): Promise<Ending> {
    const { id, status, orderId } = letter;
    const orderStatus = orderId === null ? null : await writer.orderStatus(orderId);
    const before = stateOf(status, letter.handledAt, orderStatus);
    const act = { adminId, action, target: targetOf("dead_letter", id), before };
    if (status !== "parked") {
      await writer.record({ ...act, outcome: "came_second", ...(reason && { reason }), after: before });
      return { outcome: "came_second", status };
    }
    try {
      await effect?.(letter);
    } catch (cause) {
      await writer.record({ ...act, outcome: "failed", reason: NOT_ACKNOWLEDGED, after: before });
      return { outcome: "failed", cause };
    }
    if (effect) onTaken();
    const handledAt = now();
    await writer.handle(id, to, handledAt);
    const after = stateOf(to, handledAt, orderStatus);
    await writer.record({ ...act, outcome: "done", ...(reason && { reason }), after });
    return {
      outcome: "done",
      handled: { id, status: to, handledAt, orderId, orderStatusBefore: orderStatus },
    };
  }
}

const NOT_ACKNOWLEDGED = "the log did not acknowledge the message";

function stateOf(
  status: DeadLetterStatus,
  handledAt: number | null,
  orderStatus: OrderStatus | null,
): AuditState {
  return {
    status,
    handledAt: handledAt === null ? null : new Date(handledAt).toISOString(),
    orderStatus,
  };
}

const notFound = (): DomainError => new DomainError("not_found", "There is no such dead letter.");

function outcomeUnknown(cause?: unknown): DomainError {
  const sentence =
    "The message may be in the log or not; the letter may be replayed again, its order is decided once.";
  return new DomainError(
    "outcome_unknown",
    sentence,
    { retryAfterS: 1 },
    cause === undefined ? {} : { cause },
  );
}
