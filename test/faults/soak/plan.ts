import type { ProgramName } from "../../../tools/stack/programs.ts";
import type { ServerName } from "../../../tools/stack/server.ts";
import type { Random } from "../random.ts";

const GAP_MIN_MS = 5_000;
const GAP_MAX_MS = 15_000;
/** Nothing happens while the first buyers come. */
const FIRST_AT_MS = 4_000;
/** A fault that would begin later than this before the end has no time to be over. */
const LAST_BEFORE_END_MS = 5_000;

export type Fault =
  | { readonly kind: "program"; readonly program: ProgramName; readonly which: number; readonly how: Blow }
  | { readonly kind: "server"; readonly server: ServerName; readonly how: Blow }
  | { readonly kind: "latency"; readonly program: ProgramName; readonly server: ServerName }
  | { readonly kind: "cut"; readonly program: ProgramName; readonly server: ServerName }
  | { readonly kind: "forget" };

/** SIGTERM, SIGKILL, or SIGSTOP and later SIGCONT. */
export type Blow = "stop" | "kill" | "freeze";

export interface Step {
  readonly atMs: number;
  readonly lastsMs: number;
  readonly fault: Fault;
}

export interface PlanWish {
  readonly lengthMs: number;
  readonly apis: number;
  readonly workers: number;
  /** Redis may be emptied, which may turn accepted orders FAILED. */
  readonly withDataLoss: boolean;
}

type Draw = (random: Random, wish: PlanWish) => { fault: Fault; lastsMs: number };

const PROGRAMS = ["api", "worker"] as const;
const SERVERS = ["mysql", "redis", "kafka"] as const;
const BLOWS = ["stop", "kill", "freeze"] as const;

const program =
  (name: ProgramName): Draw =>
  (random, wish) => {
    const which = random.between(0, (name === "api" ? wish.apis : wish.workers) - 1);
    const how = of(BLOWS, random);
    // A worker that is frozen for longer than its session comes back as a zombie; one that ended comes back at once.
    const frozenMs = random.between(500, name === "api" ? 4_000 : 14_000);
    return {
      fault: { kind: "program", program: name, which, how },
      lastsMs: how === "freeze" ? frozenMs : 0,
    };
  };
const server =
  (name: ServerName, longestMs: number): Draw =>
  (random) => ({
    fault: { kind: "server", server: name, how: of(BLOWS, random) },
    lastsMs: random.between(500, longestMs),
  });
const network =
  (kind: "latency" | "cut"): Draw =>
  (random) => ({
    fault: { kind, program: of(PROGRAMS, random), server: of(SERVERS, random) },
    lastsMs: kind === "cut" ? 0 : random.between(2_000, 10_000),
  });

/** Each as likely as the next; what stands here twice is twice as likely. */
const DRAWS: readonly Draw[] = [
  ...[program("api"), program("api"), program("worker"), program("worker")],
  ...[server("redis", 5_000), server("kafka", 10_000), server("mysql", 10_000)],
  ...[network("latency"), network("cut"), network("cut")],
];
const FORGETS_AT = 0.05;

/** What will happen, and when: fixed by the seed, whatever becomes of it. */
export function planOf(random: Random, wish: PlanWish): readonly Step[] {
  const steps: Step[] = [];
  let atMs = FIRST_AT_MS;
  while (atMs < wish.lengthMs - LAST_BEFORE_END_MS) {
    const forgets = random.chance(FORGETS_AT) && wish.withDataLoss;
    const drawn = of(DRAWS, random)(random, wish);
    steps.push({ atMs, ...(forgets ? { fault: { kind: "forget" }, lastsMs: 0 } : drawn) });
    atMs += random.between(GAP_MIN_MS, GAP_MAX_MS);
  }
  return steps;
}

/** Faults of one thing happen to it one after another. */
export function targetOf(fault: Fault): string {
  switch (fault.kind) {
    case "program":
      return `${fault.program}-${fault.which + 1}`;
    case "server":
      return fault.server;
    case "latency":
    case "cut":
      return `${fault.program} to ${fault.server}`;
    case "forget":
      return "redis";
  }
}

export function inWords({ fault, lastsMs }: Step): string {
  const how = fault.kind === "program" || fault.kind === "server" ? fault.how : fault.kind;
  return `${targetOf(fault)}: ${how}${lastsMs > 0 ? ` for ${(lastsMs / 1_000).toFixed(1)} s` : ""}`;
}

const of = <T>(items: readonly T[], random: Random): T => items[random.between(0, items.length - 1)] as T;
