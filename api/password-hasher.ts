import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { Piscina } from "piscina";
import { DomainError } from "../shared/domain/errors.ts";
import type { PasswordHasher } from "./services/account-service.ts";
import type { PasswordTask } from "./password-worker.ts";

/** Of a tool, which hashes one. */
const WAITING_MAX_DEFAULT = 10;
/** A thread costs as much to start as a password to compare. */
const THREAD_KEPT_MS = 60_000;
/** Of the scheduler's, where it has them: who logs in takes what orders leave over. */
const NICE = 19;
/** bcrypt reads no more, so that a longer password would match by its beginning. */
const BYTES_READ_MAX = 72;
/** Compared with when there is no such user, so that the answer takes as long; of no password. */
const NOBODYS_HASH = "$2b$10$KssILxWNR6k62B7yiX0GAeCzJOfJ0jG6r6vNmhFXx5lWlQ0lqkq8e";

export interface ClosablePasswordHasher extends PasswordHasher {
  close(): Promise<void>;
}

/**
 * bcrypt in worker threads, at most one a core: on the event loop eight log-ins would hold up every order for half a second.
 * @param waitingMax passwords that may wait for a thread; above it they hear not_ready
 */
export function createPasswordHasher(waitingMax = WAITING_MAX_DEFAULT): ClosablePasswordHasher {
  const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
  const pool = new Piscina<PasswordTask, string | boolean>({
    filename: fileURLToPath(new URL(`./password-worker.${extension}`, import.meta.url)),
    name: "run",
    minThreads: 0,
    maxThreads: availableParallelism(),
    idleTimeout: THREAD_KEPT_MS,
    maxQueue: waitingMax,
    niceIncrement: NICE,
  });
  return {
    hash: async (password) => String(await run({ task: "hash", password })),
    matches: async (password, hash) =>
      (await run({ task: "compare", password, hash: hash ?? NOBODYS_HASH })) === true &&
      hash !== undefined &&
      Buffer.byteLength(password) <= BYTES_READ_MAX,
    close: () => pool.close(),
  };

  async function run(task: PasswordTask): Promise<string | boolean> {
    try {
      return await pool.run(task);
    } catch (error) {
      if (error instanceof Error && /queue/i.test(error.message)) {
        throw new DomainError("not_ready", "Too many log-ins are waiting. Try again shortly.", {
          retryAfterS: 2,
        });
      }
      throw error;
    }
  }
}
