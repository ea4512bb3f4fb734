import { DomainError } from "../../shared/domain/errors.ts";
import type { Log, Revocations } from "../../shared/domain/ports.ts";
import type { Principal } from "../../shared/domain/user.ts";
import type { LiveSnapshot, LiveView } from "./live-view.ts";

const SHOW_EVERY_MS = 1_000;
/** Administrators' streams that this process holds open, and of one of them. */
const STREAMS_MAX = 50;
const STREAMS_PER_ADMIN = 5;

export interface LiveFollower {
  readonly principal: Principal;
  show(snapshot: LiveSnapshot): void;
  end(): void;
}

export interface LiveStreamsDependencies {
  readonly view: Pick<LiveView, "look">;
  readonly revocations: Pick<Revocations, "isRevoked">;
  readonly log: Log;
  readonly now: () => number;
}

export type LiveStreams = ReturnType<typeof createLiveStreams>;

/** Who watches live. One look a second serves all of them, and nobody looks while nobody watches. */
export function createLiveStreams({ view, revocations, log, now }: LiveStreamsDependencies) {
  const followers = new Set<LiveFollower>();
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> | undefined;
  let stopped = false;
  return { follow, round, stop, size: () => followers.size };

  /**
   * @returns what ends it; safe to call twice
   * @throws DomainError too_many_requests, not_ready when there are too many streams
   */
  function follow(follower: LiveFollower): () => void {
    const own = [...followers].filter(({ principal }) => principal.userId === follower.principal.userId);
    if (own.length >= STREAMS_PER_ADMIN) {
      const message = `At most ${STREAMS_PER_ADMIN} live streams are open for one administrator.`;
      throw new DomainError("too_many_requests", message, { retryAfterS: 1 });
    }
    if (stopped || followers.size >= STREAMS_MAX)
      throw new DomainError("not_ready", "Streams cannot be opened now.", { retryAfterS: 1 });
    followers.add(follower);
    if (!running) schedule(0);
    return () => {
      followers.delete(follower);
    };
  }

  function schedule(delayMs: number): void {
    clearTimeout(timer);
    timer = setTimeout(() => {
      const startedAt = performance.now();
      running ??= round().finally(() => {
        running = undefined;
        if (followers.size > 0 && !stopped)
          schedule(Math.max(0, SHOW_EVERY_MS - (performance.now() - startedAt)));
      });
    }, delayMs);
  }

  async function round(): Promise<void> {
    endStale();
    if (followers.size === 0) return;
    try {
      const snapshot = await view.look();
      for (const follower of followers) follower.show(snapshot);
    } catch (error) {
      log.warn({ err: error }, "no look at the live numbers; looking again");
    }
  }

  /** A stream ends with the token that opened it. */
  function endStale(): void {
    for (const follower of followers) {
      const { principal } = follower;
      if (now() < principal.expiresAt * 1_000 && !revocations.isRevoked(principal)) continue;
      followers.delete(follower);
      follower.end();
    }
  }

  async function stop(): Promise<void> {
    stopped = true;
    clearTimeout(timer);
    for (const follower of followers) follower.end();
    followers.clear();
    await running;
  }
}
