import { expect } from "chai";
import { openSlowSockets, type Slowness, type SlowSockets } from "../../support/slow-sockets.ts";
import { until } from "../../support/until.ts";
import type { Shop } from "./shop.ts";

const SOCKETS = 250;
const CLOSED_MS_MAX = 15_000;
/** A busy machine's share: the process that measures is held up, too. */
const LATE_MS_MAX = 2_000;

/** They begin before the other tests, so that everything is tested while five hundred slow clients are there. */
export function slowClients(shop: Shop): { areCutOff: () => void } {
  const slow = new Map<Slowness, SlowSockets>();
  before(async () => {
    for (const slowness of ["head", "body"] as const)
      slow.set(slowness, await openSlowSockets(shop.api.url, SOCKETS, slowness));
  });
  after(() => {
    for (const { close } of slow.values()) close();
  });
  return { areCutOff };

  function areCutOff(): void {
    for (const slowness of ["head", "body"] as const)
      it(`clients that send a byte of their ${slowness} a second are cut off within 15 s (44)`, async () => {
        const sockets = slow.get(slowness)!;
        await until("all are closed", () => sockets.open() === 0, 2 * CLOSED_MS_MAX);
        expect(sockets.longestMs()).to.be.lessThan(CLOSED_MS_MAX + LATE_MS_MAX);
        // Whoever is still sending may find the connection cut before having read the answer.
        for (const answer of sockets.answers()) expect(answer).to.match(/^(HTTP\/1\.1 408 |$)/);
      });
  }
}
