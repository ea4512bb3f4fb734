import type { FailPoint } from "../../shared/fail-point.ts";
import { lasting, type World } from "./world.ts";
import type { Keeper } from "./fleet.ts";

const POLL_MS = 100;

export interface Deaths {
  readonly world: World;
  readonly keepers: readonly Keeper[];
  readonly point: FailPoint;
  /** How many in all. */
  readonly kills: number;
  /** Each life ends when the point is reached for a number of times up to this one. */
  readonly timesMax: number;
  readonly perSecond: number;
  /** Orders placed, at least. */
  readonly orders: number;
  readonly deadlineMs: number;
}

/**
 * Lets programs die at a fail point, life after life, while buyers come; then lets them live. Returns how many died, which is
 * fewer than asked for only when the deadline came first.
 */
export async function dieAgainAndAgain(deaths: Deaths): Promise<number> {
  const { world, keepers, point, kills, timesMax, perSecond, orders, deadlineMs } = deaths;
  const random = world.random.fork("deaths");
  // The lives that run now know no fail point: their end is no death that counts.
  const died = (): number =>
    keepers.reduce((sum, { lives }) => sum + lives.filter(({ ending }) => ending === "SIGKILL").length, 0) -
    keepers.length;
  for (const keeper of keepers) {
    keeper.different = () =>
      died() < kills ? { FAIL_POINT: `${point}:${random.between(1, timesMax)}` } : {};
    keeper.kill("SIGKILL");
  }
  const end = performance.now() + deadlineMs;
  let placed = 0;
  const batch = Math.ceil(Math.max(perSecond, orders / 10));
  while ((died() < kills || placed < orders) && performance.now() < end) {
    await world.shop.begin({ buyers: await world.users(batch), perSecond }).done;
    placed += batch;
  }
  const reached = died();
  // A life that has its fail point would die later, when nobody counts any more.
  for (const keeper of keepers) {
    keeper.different = () => ({});
    keeper.kill("SIGKILL");
  }
  await lasting(POLL_MS);
  await Promise.all(keepers.map((keeper) => keeper.ready()));
  return reached;
}
