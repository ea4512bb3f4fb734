import { DomainError } from "../../shared/domain/errors.ts";
import type { OrderMessage } from "../../shared/domain/order.ts";
import type { RunningApi } from "./programs.ts";
import type { Random } from "./random.ts";
import type { Process, Scheduler } from "./scheduler.ts";

const PATIENCE_MS = 3_000;
const ATTEMPTS_MAX = 4;
const RETRY_MAX_MS = 6_000;
const REPLY_LOST = 0.05;

/** What one buyer wants once: with a key, all attempts are one order; without, each is one of its own. */
export interface Wish {
  readonly userId: number;
  readonly productId: number;
  readonly quantity: number;
  readonly idempotencyKey?: string;
}

/** `ok` must have happened, `fail` must not have, `info` may have, at most once. */
export interface Heard {
  readonly wish: Wish;
  readonly kind: "ok" | "fail" | "info";
  readonly code: string;
  readonly order?: OrderMessage;
}

export interface Running extends RunningApi {
  readonly process: Process;
}

export interface ClientsOptions {
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly trace: (line: string) => void;
  /** The APIs that take connections now. */
  readonly apis: () => readonly Running[];
}

/** Buyers, impatient and forgetful, and all that they heard. */
export function createClients({ scheduler, random, trace, apis }: ClientsOptions) {
  const history: Heard[] = [];
  const unexpected: unknown[] = [];
  let waiting = 0;
  let open = true;
  return {
    history,
    unexpected,
    idle: () => waiting === 0,
    want,
    stop: () => {
      open = false;
    },
  };

  function want(wish: Wish, delayMs: number, attempt = 1): void {
    waiting += 1;
    scheduler.plan(delayMs, `client ${nameOf(wish)}, attempt ${attempt}`, () => {
      ask(wish, (heard) => {
        waiting -= 1;
        history.push(heard);
        trace(`         client ${nameOf(wish)} heard ${heard.kind} ${heard.code}`);
        if (open && attempt < ATTEMPTS_MAX && asksAgain(heard))
          want(wish, random.below(RETRY_MAX_MS), attempt + 1);
      });
      // A double click.
      if (open && wish.idempotencyKey && attempt === 1 && random.chance(0.15))
        want(wish, random.below(20), ATTEMPTS_MAX);
    });
  }

  function asksAgain({ kind, code, wish }: Heard): boolean {
    if (kind === "ok") return wish.idempotencyKey !== undefined && random.chance(0.2);
    return kind === "info" || code === "not_ready" || code === "order_in_progress";
  }

  function ask(wish: Wish, done: (heard: Heard) => void): void {
    const running = apis();
    if (running.length === 0) {
      done({ wish, kind: "fail", code: "connection refused" });
      return;
    }
    const api = random.pick(running);
    let waits = true;
    const hear = (heard: Omit<Heard, "wish">) => {
      if (!waits) return;
      waits = false;
      patience.cancel();
      done(random.chance(REPLY_LOST) ? { wish, kind: "info", code: "reply lost" } : { ...heard, wish });
    };
    const patience = scheduler.plan(PATIENCE_MS, `client ${nameOf(wish)} gives up`, () => {
      hear({ kind: "info", code: "no answer" });
    });
    const place = () => {
      void placed(api, wish).then(hear);
    };
    scheduler.plan(random.below(3), `${api.process.name} ← ${nameOf(wish)}`, place, { owner: api.process });
  }

  async function placed({ orders }: Running, wish: Wish): Promise<Omit<Heard, "wish">> {
    const { userId, ...request } = wish;
    try {
      const principal = { userId, role: "user", jti: "j", issuedAt: 0, expiresAt: 0 } as const;
      const { order, replayed } = await orders.place({ ...request, principal, traceId: "t" });
      return { kind: "ok", code: replayed ? "replayed" : "accepted", order };
    } catch (error) {
      if (!(error instanceof DomainError)) unexpected.push(error);
      const code = error instanceof DomainError ? error.code : "internal";
      return { kind: code === "outcome_unknown" ? "info" : "fail", code };
    }
  }
}
export type Clients = ReturnType<typeof createClients>;

const nameOf = ({ userId, productId, quantity, idempotencyKey }: Wish): string =>
  `u${userId}/p${productId}×${quantity}${idempotencyKey ? ` ${idempotencyKey}` : ""}`;
