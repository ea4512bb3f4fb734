import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";

/** USER_HZ: what /proc counts in, on every Linux that Node.js runs on. */
const TICK_MS = 10;
const KIB_PER_MIB = 1_024;
/** Fields of /proc/PID/stat after the name in parentheses, from 0. */
const FIRST_TIME_FIELD = 11;
const TIME_FIELDS = 4;
/** Of the first line of /proc/stat: user, nice, system, irq and softirq are work; idle, iowait and steal are not. */
const BUSY_FIELDS = [0, 1, 2, 5, 6];

/** Milliseconds of CPU that a process and its ended children have used; text of /proc/PID/stat. */
export function cpuMsOf(stat: string): number {
  // The name may hold blanks and parentheses: count from its last one.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const times = fields.slice(FIRST_TIME_FIELD, FIRST_TIME_FIELD + TIME_FIELDS).map(Number);
  return times.reduce((sum, ticks) => sum + ticks, 0) * TICK_MS;
}

/** Resident memory in MiB; text of /proc/PID/status. */
export function residentMibOf(status: string): number {
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) / KIB_PER_MIB;
}

/** Milliseconds that all cores together have worked; text of /proc/stat. */
export function busyMsOf(stat: string): number {
  const fields = stat.slice(0, stat.indexOf("\n")).trim().split(/\s+/).slice(1).map(Number);
  return BUSY_FIELDS.reduce((sum, at) => sum + (fields[at] ?? 0), 0) * TICK_MS;
}

export type Roles = Readonly<Record<string, readonly number[]>>;

/** CPU used so far by each role's processes, ms, and by the whole machine. Empty where there is no /proc. */
export function readCpu(roles: Roles): { byRole: Record<string, number>; machine: number | undefined } {
  const byRole: Record<string, number> = {};
  for (const [role, pids] of Object.entries(roles)) {
    const used = pids.map((pid) => read(`/proc/${pid}/stat`));
    if (used.every((text) => text !== undefined))
      byRole[role] = used.reduce((sum, text) => sum + cpuMsOf(text), 0);
  }
  const machine = read("/proc/stat");
  return { byRole, machine: machine === undefined ? undefined : busyMsOf(machine) };
}

export function readResidentMib(roles: Roles): Record<string, number> {
  const byRole: Record<string, number> = {};
  for (const [role, pids] of Object.entries(roles)) {
    const held = pids.map((pid) => read(`/proc/${pid}/status`));
    if (held.every((text) => text !== undefined))
      byRole[role] = held.reduce((sum, text) => sum + residentMibOf(text), 0);
  }
  return byRole;
}

/**
 * The part of all cores' time that went to processes that are not of the run: a figure that was measured beside a busy neighbour
 * says so.
 */
export function othersPart(machineMs: number, oursMs: number, elapsedMs: number): number {
  return Math.max(0, machineMs - oursMs) / (elapsedMs * availableParallelism());
}

/** Undefined: the process is gone, or the system has no /proc. */
function read(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
