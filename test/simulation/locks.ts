import type { Scheduler } from "./scheduler.ts";

const LOCK_WAIT_MAX_MS = 3_000;

interface Waiter {
  readonly owner: object;
  readonly granted: () => void;
}

export class LockWaitTimeout extends Error {
  override readonly name = "LockWaitTimeout";
}

/** Row locks by name, first come, first served; held until their owner lets all of them go. */
export function createRowLocks({ plan }: Scheduler) {
  const holders = new Map<string, object>();
  const queues = new Map<string, Waiter[]>();
  return { acquire, releaseAll };

  /** @throws LockWaitTimeout */
  async function acquire(owner: object, names: readonly string[]): Promise<void> {
    for (const name of names) {
      const holder = holders.get(name);
      if (holder === undefined) holders.set(name, owner);
      else if (holder !== owner) await wait(owner, name);
    }
  }

  function wait(owner: object, name: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const queue = queues.get(name) ?? [];
      queues.set(name, queue);
      const waiter: Waiter = {
        owner,
        granted: () => {
          timer.cancel();
          resolve();
        },
      };
      const timer = plan(LOCK_WAIT_MAX_MS, `mysql gives up waiting for ${name}`, () => {
        if (queue.includes(waiter)) queue.splice(queue.indexOf(waiter), 1);
        reject(new LockWaitTimeout(name));
      });
      queue.push(waiter);
    });
  }

  function releaseAll(owner: object): void {
    for (const [name, queue] of queues) {
      for (const waiter of queue.filter((one) => one.owner === owner)) {
        queue.splice(queue.indexOf(waiter), 1);
        waiter.granted();
      }
      queues.set(name, queue);
    }
    for (const [name, holder] of [...holders]) {
      if (holder !== owner) continue;
      const next = queues.get(name)?.shift();
      if (next) holders.set(name, next.owner);
      else holders.delete(name);
      next?.granted();
    }
  }
}
