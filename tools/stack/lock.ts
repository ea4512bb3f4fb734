import { randomBytes } from "node:crypto";
import { linkSync, renameSync, rmSync } from "node:fs";
import { hasCode, StackFailure } from "./failure.ts";
import { readJson, writeJson } from "./files.ts";
import type { Home } from "./home.ts";
import { identify, isAlive, toIdentity, type Identity } from "./identity.ts";
import { waitFor } from "./wait.ts";

const TAKE_OVER_ATTEMPTS_MAX = 5;

/**
 * One launcher per home. The lock names its owner by pid and moment of birth, so what a killed launcher left behind, also
 * before a reboot, blocks nobody. The returned function gives it back.
 */
export function lockHome(home: Home): () => void {
  const path = home.at("launcher.lock");
  const owner = takeLock(path);
  if (owner)
    throw new StackFailure(`FlashPay (pid ${String(owner.pid)}) is already running from ${home.path}.`);
  return () => {
    rmSync(path, { force: true });
  };
}

/** Does the work while nobody else on this machine does the same: two `npm test` side by side install and fetch once. */
export async function withLock<T>(path: string, deadlineMs: number, work: () => Promise<T>): Promise<T> {
  const taken = await waitFor(() => (takeLock(path) ? undefined : true), deadlineMs);
  if (!taken)
    throw new StackFailure(`Another FlashPay has held ${path} for too long: end it, or remove the file.`);
  try {
    return await work();
  } finally {
    rmSync(path, { force: true });
  }
}

/** Undefined when the lock is ours now, otherwise who has it. */
function takeLock(path: string): Identity | undefined {
  const me = identify(process.pid) ?? { pid: process.pid, began: "" };
  const mine = `${path}.${String(process.pid)}-${randomBytes(4).toString("hex")}`;
  writeJson(mine, me);
  try {
    for (let attempt = 0; attempt < TAKE_OVER_ATTEMPTS_MAX; attempt += 1) {
      try {
        linkSync(mine, path); // atomic, and the content is there from the first moment on
        return undefined;
      } catch (error) {
        if (!hasCode(error, "EEXIST")) throw error;
      }
      const owner = toIdentity(readJson(path));
      if (owner && isAlive(owner)) return owner;
      setAside(path, `${mine}.stale`);
    }
    return toIdentity(readJson(path)) ?? { pid: 0, began: "" };
  } finally {
    rmSync(mine, { force: true });
  }
}

/** Removes a dead owner's lock. Another launcher may have done so first and taken it: then what was moved is put back. */
function setAside(path: string, aside: string): void {
  try {
    renameSync(path, aside);
    const owner = toIdentity(readJson(aside));
    if (owner && isAlive(owner)) linkSync(aside, path);
  } catch (error) {
    if (!hasCode(error, "ENOENT") && !hasCode(error, "EEXIST")) throw error;
  } finally {
    rmSync(aside, { force: true });
  }
}
