import { DomainError } from "../../shared/domain/errors.ts";
import type { Log, OrderReader, Revocations } from "../../shared/domain/ports.ts";
import type { OrderView } from "../../shared/domain/settlement.ts";
import type { Principal } from "../../shared/domain/user.ts";

/** A decision whose message was lost is found this much later, at most. */
const LOOK_EVERY_MS = 1_500;
/** Orders looked up in one statement. */
const ORDERS_PER_LOOK_MAX = 500;
/** Between two signs of life: below what proxies wait for (60 s by default). */
const HEARTBEAT_EVERY_MS = 15_000;

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
  const followers = new Map<string, Set<OrderFollower>>();
  const ofUser = new Map<number, number>();
  let open = 0;
  let heartbeatAt = 0;
  let timer: NodeJS.Timeout | undefined;
  let looking: Promise<void> | undefined;
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
    const others = followers.get(orderId) ?? new Set();
    followers.set(orderId, others.add(follower));
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
    const followed = orderIds.filter((id) => followers.has(id));
    if (followed.length > 0) void lookUp(followed);
  }

  /** All that is followed, whatever was heard; and signs of life. */
  async function look(): Promise<void> {
    endStale();
    if (now() - heartbeatAt >= HEARTBEAT_EVERY_MS) {
      heartbeatAt = now();
      for (const all of followers.values()) for (const follower of all) follower.beat();
    }
    await lookUp([...followers.keys()]);
  }

  async function lookUp(orderIds: readonly string[]): Promise<void> {
    for (let i = 0; i < orderIds.length; i += ORDERS_PER_LOOK_MAX) {
      try {
        const found = await orders.findDecided(orderIds.slice(i, i + ORDERS_PER_LOOK_MAX));
        for (const order of found) tell(order);
      } catch (error) {
        log.debug({ err: error }, "decisions not looked up; trying again");
      }
    }
  }

  function tell(order: OrderView): void {
    for (const follower of [...(followers.get(order.orderId) ?? [])]) {
      forget(order.orderId, follower);
      follower.decided(order);
    }
  }

  /** A stream ends with the token that opened it. */
  function endStale(): void {
    for (const [orderId, all] of [...followers]) {
      for (const follower of [...all]) {
        const { principal } = follower;
        if (now() < principal.expiresAt * 1_000 && !revocations.isRevoked(principal)) continue;
        forget(orderId, follower);
        follower.end();
      }
    }
  }

  function start(): void {
    timer = setInterval(() => {
      looking ??= look().finally(() => (looking = undefined));
    }, LOOK_EVERY_MS);
  }

  /** Ends every stream; its client asks again, another process answers. */
  async function stop(): Promise<void> {
    stopped = true;
    clearInterval(timer);
    for (const [orderId, all] of [...followers]) {
      for (const follower of [...all]) {
        forget(orderId, follower);
        follower.end();
      }
    }
    await looking;
  }
}
