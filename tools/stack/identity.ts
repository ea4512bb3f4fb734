import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

/**
 * A process, named so that nobody else is mistaken for it: process ids are given again after a while and after a reboot,
 * a pid together with the moment it began is not. redis-server rewrites its command line, so that would tell less.
 */
export type Identity = { pid: number; began: string };

const FIRST_FIELD_AFTER_NAME = 3;
const STATE_FIELD = 3;
const START_TIME_FIELD = 22;

export function identify(pid: number): Identity | undefined {
  const began = process.platform === "linux" ? beganOnLinux(pid) : beganElsewhere(pid);
  return began === undefined ? undefined : { pid, began };
}

export function isAlive(identity: Identity): boolean {
  return identify(identity.pid)?.began === identity.began;
}

/** Reads an identity out of something parsed from a file that a killed launcher may have left half written. */
export function toIdentity(value: unknown): Identity | undefined {
  if (typeof value !== "object" || value === null || !("pid" in value) || !("began" in value))
    return undefined;
  const { pid, began } = value;
  return typeof pid === "number" && typeof began === "string" ? { pid, began } : undefined;
}

function beganOnLinux(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${String(pid)}/stat`, "utf8");
    // The name, in parentheses, may hold blanks and parentheses: count from its last one.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const state = fields[STATE_FIELD - FIRST_FIELD_AFTER_NAME];
    if (state === "Z" || state === "X") return undefined; // dead, only not yet collected by its parent
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    return `${boot}/${fields[START_TIME_FIELD - FIRST_FIELD_AFTER_NAME] ?? ""}`;
  } catch {
    return undefined;
  }
}

function beganElsewhere(pid: number): string | undefined {
  try {
    const began = execFileSync("ps", ["-o", "lstart=", "-p", String(pid)], {
      encoding: "utf8",
      stdio: "pipe",
    });
    return began.trim() || undefined;
  } catch {
    return undefined;
  }
}
