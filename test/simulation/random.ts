/** A generator whose whole future is its seed (mulberry32): the same on every machine. */
export function createRandom(seed: number) {
  let state = Math.imul(seed + 1, 0x9e3779b1) >>> 0;
  return { next, below, between, chance, pick };

  /** In [0, 1). */
  function next(): number {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }
  function below(n: number): number {
    return Math.floor(next() * n);
  }
  /** Both ends included. */
  function between(min: number, max: number): number {
    return min + below(max - min + 1);
  }
  function chance(probability: number): boolean {
    return next() < probability;
  }
  function pick<Item>(items: readonly Item[]): Item {
    const item = items[below(items.length)];
    if (item === undefined) throw new Error("nothing to pick from");
    return item;
  }
}
export type Random = ReturnType<typeof createRandom>;
