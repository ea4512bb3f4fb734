import { until } from "../support/until.ts";
import type { WorldFailure } from "./failure.ts";
import { longestStandstillMs } from "./measure.ts";
import { lasting } from "./world.ts";

const CUTS = 50;
const CUTS_BRIEF = 6;
const PER_SECOND_MIN = 40;
const PAUSE_MS = 200;
/** Long enough for MySQL to carry the COMMIT out whose answer nobody will hear. */
const MUTE_MS = 300;
const CUT_DEADLINE_MS = 30_000;
/** So long does one cut with what it brings about take, about. */
const PER_CUT_MS = 900;

/** Every other COMMIT never arrives, of the others only the answer is lost: the worker cannot tell which. */
export const f22: WorldFailure = {
  id: "F22",
  title: "MySQL's connection cut at COMMIT",
  objective: { what: "orders are decided again", ms: 10_000 },
  world: { apis: 1, workers: 1, through: { worker: ["mysql"] } },
  async run(world, { orders, brief }) {
    const cuts = brief ? CUTS_BRIEF : CUTS;
    const perSecond = Math.max(PER_SECOND_MIN, orders / ((cuts * PER_CUT_MS) / 1_000));
    const proxy = world.proxy("worker", "mysql");
    // More buyers than the cuts take time: a COMMIT needs an order.
    const wanted = Math.max(orders, Math.ceil(cuts * perSecond * 4));
    const shopping = world.shop.begin({ buyers: await world.users(wanted), perSecond });
    let lost = 0;
    for (let i = 0; i < cuts; i += 1) {
      const unheard = i % 2 === 0;
      const trigger = { on: "up", pattern: "COMMIT", times: 1 } as const;
      proxy.trigger(
        unheard ? { ...trigger, act: "mute down", muteMs: MUTE_MS } : { ...trigger, act: "cut before" },
      );
      await until(`COMMIT ${i + 1} is cut`, () => proxy.acted() === 1, CUT_DEADLINE_MS);
      if (unheard) lost += 1;
      await lasting(MUTE_MS + PAUSE_MS);
    }
    proxy.pass();
    await world.shop.answered(orders);
    await shopping.stop();
    return {
      figures: { "COMMITs cut": cuts - lost, "answers lost": lost },
      recovery: (rows) => ({ recoveryMs: longestStandstillMs(rows) }),
    };
  },
};
