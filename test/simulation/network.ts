import type { Random } from "./random.ts";
import type { Process, Scheduler } from "./scheduler.ts";

export type Server = "mysql" | "redis" | "kafka";

/** Above every latency: what is sent again comes after what was sent. */
const RESENT_MIN_MS = 400;
const RESENT_MAX_MS = 900;

export interface Request<T> {
  readonly from: Process;
  readonly to: Server;
  readonly what: string;
  /** What the server does about it: at one instant, but for its own locks. */
  readonly act: () => T | Promise<T>;
  /** How long the caller waits. */
  readonly timeoutMs: number;
  /** How long after the call the server may still act on it. */
  readonly lateMaxMs: number;
  /** Whether a client library may send it again by itself. */
  readonly resent: boolean;
  /** What the caller hears when it goes wrong. */
  readonly failure: (how: string) => Error;
  /** The caller's library hears that the server did it, even when the caller has stopped waiting. */
  readonly onDone?: () => void;
}

type Fate = "ok" | "fails before" | "fails after" | "late" | "twice";

export interface Faults {
  on: boolean;
  /** Probability that a request goes wrong, by server. */
  readonly rate: Record<Server, number>;
  readonly away: Set<Server>;
}

/**
 * Between a process and the servers. Each request is two tasks, its arrival and its reply, and may be lost on its way,
 * lose its reply, come after its caller gave up, or come twice.
 */
export function createNetwork(scheduler: Scheduler, random: Random, trace: (line: string) => void) {
  const { plan } = scheduler;
  const faults: Faults = {
    on: true,
    rate: { mysql: drawRate(), redis: drawRate(), kafka: drawRate() },
    away: new Set(),
  };
  return { faults, call };

  function drawRate(): number {
    return random.pick([0, 0.02, 0.1, 0.3]);
  }

  function call<T>(request: Request<T>): Promise<T> {
    const { from, timeoutMs, lateMaxMs } = request;
    // A call of a dead process: its code may still be on the stack, its effects are not.
    if (!from.alive) return new Promise(() => undefined);
    const fate = fateOf(request);
    if (fate !== "ok") trace(`         ${from.name} ${request.what}: ${fate}`);
    return new Promise((resolve, reject) => {
      const fail = (delayMs: number) => {
        reply(request, delayMs, () => {
          reject(request.failure(fate));
        });
      };
      const settle = (delayMs: number) => {
        arrive(request, delayMs, (outcome) => {
          reply(request, latency(), () => {
            if (outcome.ok) {
              request.onDone?.();
              resolve(outcome.value);
            } else reject(outcome.error);
          });
        });
      };
      switch (fate) {
        case "ok":
          settle(latency());
          return;
        case "fails before":
          fail(latency());
          return;
        case "fails after":
          arrive(request, latency(), () => {
            fail(latency());
          });
          return;
        case "late":
          fail(timeoutMs);
          arrive(request, random.between(0, lateMaxMs), ({ ok }) => {
            if (ok && request.onDone) reply(request, latency(), request.onDone);
          });
          return;
        case "twice":
          // The library sent it again when its connection broke, and hears the answer to the second.
          arrive(request, latency(), () => undefined);
          settle(random.between(RESENT_MIN_MS, RESENT_MAX_MS));
      }
    });
  }

  function fateOf({ to, resent }: { to: Server; resent: boolean }): Fate {
    if (!faults.on) return "ok";
    if (faults.away.has(to)) return random.pick(["fails before", "fails before", "fails before", "late"]);
    if (!random.chance(faults.rate[to])) return "ok";
    return random.pick(["fails before", "fails after", "late", resent ? "twice" : "late"]);
  }

  type Outcome<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: Error };

  function arrive<T>({ from, to, what, act }: Request<T>, delayMs: number, then: (o: Outcome<T>) => void) {
    plan(delayMs, `${to} ← ${from.name} ${what}`, () => void acted(), { sender: from });
    async function acted(): Promise<void> {
      let outcome: Outcome<T>;
      try {
        outcome = { ok: true, value: await act() };
      } catch (error) {
        outcome = { ok: false, error: error instanceof Error ? error : new Error(String(error)) };
      }
      then(outcome);
    }
  }

  function reply({ from, to, what }: Request<never> | Request<unknown>, delayMs: number, run: () => void) {
    plan(delayMs, `${from.name} ← ${to} ${what}`, run, { owner: from });
  }

  function latency(): number {
    if (!faults.on || random.chance(0.7)) return random.below(3);
    return random.chance(0.9) ? random.below(40) : random.below(400);
  }
}
export type Network = ReturnType<typeof createNetwork>;
