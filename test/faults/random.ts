export interface Random {
  /** In [0, 1). */
  next(): number;
  /** A whole number, both ends included. */
  between(from: number, to: number): number;
  chance(probability: number): boolean;
  /** A stream of its own, so that choices made here do not shift those made there. */
  fork(name: string): Random;
}

const PRIME = 16_777_619;

/** Mulberry32: the same seed, the same choices. */
export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return {
    next,
    between: (from, to) => from + Math.floor(next() * (to - from + 1)),
    chance: (probability) => next() < probability,
    fork: (name) =>
      createRandom(Buffer.from(name).reduce((hash, byte) => Math.imul(hash ^ byte, PRIME), seed)),
  };
}
