import type { WorldFailure } from "./failure.ts";
import { longestStandstillMs } from "./measure.ts";
import { doubts } from "./outage.ts";
import { lasting } from "./world.ts";

/** The whole test is of five minutes: --orders above 20 000 asks for it. */
const LENGTH_MS = 120_000;
const LENGTH_LONG_MS = 300_000;
const LENGTH_BRIEF_MS = 20_000;
const ORDERS_LONG = 20_000;
const EVERY_MS = 10_000;
const EVERY_BRIEF_MS = 5_000;
const PER_SECOND_MIN = 80;

/** One program after the other is asked to end, and is started again, while buyers keep their connections. */
export const f28: WorldFailure = {
  id: "F28",
  title: "SIGTERM every ten seconds under load",
  objective: { what: "orders are decided again", ms: 15_000 },
  world: { apis: 2, workers: 2 },
  async run(world, { orders, brief }) {
    const lengthMs = brief ? LENGTH_BRIEF_MS : orders >= ORDERS_LONG ? LENGTH_LONG_MS : LENGTH_MS;
    const everyMs = brief ? EVERY_BRIEF_MS : EVERY_MS;
    const perSecond = Math.max(PER_SECOND_MIN, orders / (lengthMs / 1_000));
    const buyers = await world.users(Math.ceil((perSecond * lengthMs) / 1_000));
    const shopping = world.shop.begin({ buyers, perSecond });
    const turn = [world.apis[0]!, world.workers[0]!, world.apis[1]!, world.workers[1]!];
    const stops = Math.floor(lengthMs / everyMs) - 1;
    for (let i = 0; i < stops; i += 1) {
      await lasting(everyMs);
      const keeper = turn[i % turn.length]!;
      await keeper.ready();
      keeper.kill("SIGTERM");
    }
    await shopping.done;
    await Promise.all(turn.map((keeper) => keeper.ready()));
    const endings = turn.flatMap(({ lives }) => lives.map(({ ending }) => ending));
    const rude = endings.filter((ending) => ending !== "exit code 0");
    const resets = world.history.calls.filter(({ reset }) => reset).length;
    return {
      figures: { SIGTERMs: stops, resets, doubts: doubts(world) },
      misses: [
        ...(resets > 0 ? [`${resets} requests on kept connections were cut`] : []),
        ...rude.map((ending) => `a program ended with ${ending}`),
      ],
      recovery: (rows) => ({ recoveryMs: longestStandstillMs(rows) }),
    };
  },
};
