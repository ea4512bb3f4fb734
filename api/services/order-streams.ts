import { DomainError } from "../../shared/domain/errors.ts";
import type { Log, OrderReader, Revocations } from "../../shared/domain/ports.ts";
import type { OrderView } from "../../shared/domain/settlement.ts";
import type { Principal } from "../../shared/domain/user.ts";

/** A decision whose message was lost is found this much later, and what a look takes; 2 s are promised. */
const LOOK_EVERY_MS = 1_000;
/** Orders looked up in one statement. From 1 000 on, MariaDB would make a table of the list. */
const ORDERS_PER_STATEMENT_MAX = 900;
/** Statements under way at once: thousands of streams wait for a slow database once or twice, not once for each statement. */
const STATEMENTS_AT_ONCE_MAX = 4;
/** Between two signs of life of a stream, 15 s: below what proxies wait for (60 s by default). */
const LOOKS_PER_HEARTBEAT = 15;

/** One client's open stream. */
export interface OrderFollower {
  readonly principal: Principal;
  decided(order: OrderView): void;
  beat(): void;
  end(): void;
}

export interface OrderStreamsDependencies {
  readonly orders: Pick<OrderReader, "findDecided">;
  readonly revocations: Pick<Revocations, "isRevoked">;
  readonly log: Log;
  readonly now: () => number;
  /** Streams that this process holds open. */
  readonly max: number;
  /** Streams of one user in this process. */
  readonly maxPerUser: number;
}

export type OrderStreams = ReturnType<typeof createOrderStreams>;

/**
 * Who follows which undecided order. Messages of workers say where to look, the database says what became of it, and all
 * that is followed is looked up every LOOK_EVERY_MS all the same.
 */
export function createOrderStreams(dependencies: OrderStreamsDependencies) {
  const { orders, revocations, log, now, max, maxPerUser } = dependencies;
  /** By order; each follower with the look that is its turn to be given a sign of life. */
  const followers = new Map<string, Map<OrderFollower, number>>();
  const ofUser = new Map<number, number>();
  /** Orders to be looked up; one that is being looked up may be decided meanwhile, and be in here again. */
  const wanted = new Set<string>();
  const lanes = new Set<Promise<void>>();
  let open = 0;
  let followed = 0;
  let looks = 0;
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;

  return { follow, decided, look, size: () => open, start, stop };

  /**
   * @returns what ends it; safe to call twice
   * @throws DomainError too_many_requests, not_ready when there are too many streams
   */
  function follow(orderId: string, follower: OrderFollower): () => void {
    const { userId } = follower.principal;
    const own = ofUser.get(userId) ?? 0;
    if (own >= maxPerUser) {
      throw new DomainError("too_many_requests", `At most ${maxPerUser} streams are open for one user.`, {
        retryAfterS: 1,
      });
    }
    if (stopped || open >= max) {
      throw new DomainError("not_ready", "Streams cannot be opened now. Ask for the order itself.", {
        retryAfterS: 1,
      });
    }
    const others = followers.get(orderId) ?? new Map<OrderFollower, number>();
    followers.set(orderId, others.set(follower, followed % LOOKS_PER_HEARTBEAT));
    followed += 1;
    ofUser.set(userId, own + 1);
    open += 1;
    return () => {
      forget(orderId, follower);
    };
  }

  function forget(orderId: string, follower: OrderFollower): void {
    const others = followers.get(orderId);
    if (!others?.delete(follower)) return;
    if (others.size === 0) followers.delete(orderId);
    const { userId } = follower.principal;
    const own = (ofUser.get(userId) ?? 1) - 1;
    if (own > 0) ofUser.set(userId, own);
    else ofUser.delete(userId);
    open -= 1;
  }

  /** A worker says that these are decided. */
  function decided(orderIds: readonly string[]): void {
    void lookUp(orderIds.filter((id) => followers.has(id)));
  }

  /** All that is followed, whatever was heard; and signs of life. */
  async function look(): Promise<void> {
    endStale();
    beatNext();
    await lookUp(followers.keys());
  }

  /** A part of the streams each time: a sign for thousands at once would hold up the orders behind it. */
  function beatNext(): void {
    const turn = looks % LOOKS_PER_HEARTBEAT;
    looks += 1;
    for (const all of followers.values())
      for (const [follower, its] of all) if (its === turn) follower.beat();
  }

  async function lookUp(orderIds: Iterable<string>): Promise<void> {
    for (const id of orderIds) wanted.add(id);
    while (wanted.size > 0 && lanes.size < STATEMENTS_AT_ONCE_MAX) {
      const lane: Promise<void> = lookUpWanted().finally(() => lanes.delete(lane));
      lanes.add(lane);
    }
    await Promise.all(lanes);
  }

  async function lookUpWanted(): Promise<void> {
    for (let ids = takeWanted(); ids.length > 0; ids = takeWanted()) {
      try {
        for (const order of await orders.findDecided(ids)) tell(order);
      } catch (error) {
        log.debug({ err: error }, "decisions not looked up; trying again");
      }
    }
  }

  function takeWanted(): string[] {
    const taken: string[] = [];
    for (const id of wanted) {
      if (taken.length === ORDERS_PER_STATEMENT_MAX) break;
      wanted.delete(id);
      if (followers.has(id)) taken.push(id);
    }
    return taken;
  }

  function tell(order: OrderView): void {
    for (const follower of [...(followers.get(order.orderId)?.keys() ?? [])]) {
      forget(order.orderId, follower);
      follower.decided(order);
    }
  }

  /** A stream ends with the token that opened it. */
  function endStale(): void {
    for (const [orderId, all] of [...followers]) {
      for (const follower of [...all.keys()]) {
        const { principal } = follower;
        if (now() < principal.expiresAt * 1_000 && !revocations.isRevoked(principal)) continue;
        forget(orderId, follower);
        follower.end();
      }
    }
  }

  function start(): void {
    timer = setInterval(() => void look(), LOOK_EVERY_MS);
  }

  /** Ends every stream; its client asks again, another process answers. */
  async function stop(): Promise<void> {
    stopped = true;
    clearInterval(timer);
    for (const [orderId, all] of [...followers]) {
      for (const follower of [...all.keys()]) {
        forget(orderId, follower);
        follower.end();
      }
    }
    await Promise.all(lanes);
  }
}
