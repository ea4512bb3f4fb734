import { inParts } from "../domain/group-by.ts";

export interface BatchedCallsOptions<Item, Reply> {
  /** Items of one group share calls; by default all do. */
  readonly groupOf?: (item: Item) => string;
  /** Items in one call. */
  readonly max: number;
  /** @returns a reply for each item, in their order */
  readonly call: (items: readonly Item[]) => Promise<readonly Reply[]>;
}

interface Waiting<Item, Reply> {
  readonly item: Item;
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * What is asked in one turn of the event loop goes to Redis in one call of a script, not in one each: under load a call
 * costs both sides more than what it does. Nobody waits longer for it. A call that fails fails for all of its items: what
 * it did is unknown, as it is after a call of one's own.
 */
export function createBatchedCalls<Item, Reply>(
  options: BatchedCallsOptions<Item, Reply>,
): (item: Item) => Promise<Reply> {
  const { groupOf = () => "", max, call } = options;
  let groups = new Map<string, Waiting<Item, Reply>[]>();

  return (item) =>
    new Promise((resolve, reject) => {
      if (groups.size === 0) setImmediate(flush);
      const name = groupOf(item);
      const group = groups.get(name);
      if (group) group.push({ item, resolve, reject });
      else groups.set(name, [{ item, resolve, reject }]);
    });

  function flush(): void {
    const asked = groups;
    groups = new Map();
    for (const group of asked.values()) for (const part of inParts(group, max)) void callOne(part);
  }

  async function callOne(part: readonly Waiting<Item, Reply>[]): Promise<void> {
    try {
      const replies = await call(part.map(({ item }) => item));
      part.forEach(({ resolve, reject }, i) => {
        const reply = replies[i];
        if (reply === undefined) reject(new Error("a script did not answer for all that it was asked"));
        else resolve(reply);
      });
    } catch (error) {
      for (const { reject } of part) reject(error);
    }
  }
}
