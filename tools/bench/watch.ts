import { setTimeout as delay } from "node:timers/promises";
import { othersPart, readCpu, readResidentMib, type Roles } from "./cpu.ts";

const SAMPLE_EVERY_MS = 250;

export interface Watched {
  /** CPU by role, ms. */
  readonly cpuMs: Readonly<Record<string, number>>;
  /** Largest resident memory seen by role, MiB. */
  readonly rssMib: Readonly<Record<string, number>>;
  /** Part of the machine's cores that others used. */
  readonly othersPart: number | undefined;
  /** Most orders that were accepted and not settled at one moment. */
  readonly lagOrdersMax: number;
}

export interface Watching {
  readonly roles: Roles;
  /** Orders accepted and not settled, now. */
  readonly lag: () => Promise<number>;
}

/** Looks at processes and the worker's lag until told to stop. */
export function watch({ roles, lag }: Watching) {
  const leaving = new AbortController();
  const startedAt = performance.now();
  const before = readCpu(roles);
  const rssMib: Record<string, number> = {};
  let lagOrdersMax = 0;
  const looking = look();
  return {
    async stop(): Promise<Watched> {
      const after = readCpu(roles);
      const elapsedMs = performance.now() - startedAt;
      leaving.abort();
      await looking;
      const cpuMs = Object.fromEntries(
        Object.entries(after.byRole).map(([role, ms]) => [role, ms - (before.byRole[role] ?? 0)]),
      );
      const ours = Object.values(cpuMs).reduce((sum, ms) => sum + ms, 0);
      const machine =
        after.machine === undefined || before.machine === undefined
          ? undefined
          : after.machine - before.machine;
      return {
        ...{ cpuMs, rssMib, lagOrdersMax },
        othersPart: machine === undefined ? undefined : othersPart(machine, ours, elapsedMs),
      };
    },
  };

  async function look(): Promise<void> {
    while (!leaving.signal.aborted) {
      for (const [role, mib] of Object.entries(readResidentMib(roles)))
        rssMib[role] = Math.max(rssMib[role] ?? 0, mib);
      lagOrdersMax = Math.max(lagOrdersMax, await lag());
      await delay(SAMPLE_EVERY_MS, undefined, { signal: leaving.signal }).catch(() => undefined);
    }
  }
}
