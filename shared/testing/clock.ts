/** A clock that moves when a test says so, epoch ms. */
export function createFakeClock(start = Date.UTC(2027, 0, 1, 9)) {
  let at = start;
  return {
    now: () => at,
    advance(ms: number): void {
      at += ms;
    },
  };
}
export type FakeClock = ReturnType<typeof createFakeClock>;
