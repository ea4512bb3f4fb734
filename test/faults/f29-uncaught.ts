import { readFileSync } from "node:fs";
import { until } from "../support/until.ts";
import type { WorldFailure } from "./failure.ts";
import { doubts } from "./outage.ts";

const TIMES = 5;
const TIMES_BRIEF = 2;
const PER_SECOND_MIN = 60;
const RESERVES = { min: 5, max: 40 };
const DIED_DEADLINE_MS = 60_000;
/** So long do one life and the next one's start take, about. */
const PER_LIFE_MS = 6_000;
const LOGGED = /thrown by FAIL_POINT/;

/** An error that no handler catches: its process says so and ends in order, is started again, and the other one serves. */
export const f29: WorldFailure = {
  id: "F29",
  title: "an error that no handler catches",
  objective: { what: "the API that ended is back", ms: 5_000 },
  world: { apis: 2, workers: 1 },
  async run(world, { orders, brief, random }) {
    const times = brief ? TIMES_BRIEF : TIMES;
    const [api] = world.apis;
    if (!api) throw new Error("there is no API");
    const before = api.lives.length + 1; // the life that runs knows no fail point
    const perSecond = Math.max(PER_SECOND_MIN, orders / ((times * PER_LIFE_MS) / 1_000));
    const wanted = Math.ceil((perSecond * (times + 2) * 2 * PER_LIFE_MS) / 1_000);
    const shopping = world.shop.begin({ buyers: await world.users(wanted), perSecond });
    const { min, max } = RESERVES;
    api.different = () =>
      api.lives.length - before < times ? { FAIL_POINT: `throw_in_handler:${random.between(min, max)}` } : {};
    api.kill("SIGTERM");
    await until(
      "it has thrown often enough",
      () => api.lives.length >= before + times,
      DIED_DEADLINE_MS * times,
    );
    await api.ready();
    await world.shop.answered(orders);
    await shopping.stop();
    const lives = api.lives.slice(before);
    const gapsMs = api.lives.slice(before + 1).map(({ readyAt = Infinity }, i) => readyAt - lives[i]!.diedAt);
    const resets = world.history.calls.filter(({ reset }) => reset).length;
    return {
      recoveryMs: Math.max(...gapsMs, (api.readyAt() ?? Infinity) - (lives.at(-1)?.diedAt ?? 0)),
      figures: {
        thrown: lives.length,
        endings: [...new Set(lives.map(({ ending }) => ending))].join(" "),
        doubts: doubts(world),
      },
      misses: [
        ...(LOGGED.test(readFileSync(world.home.log(api.name), "utf8")) ? [] : ["the error was not logged"]),
        ...lives
          .filter(({ ending }) => ending !== "exit code 1")
          .map(({ ending }) => `it ended with ${ending}`),
        ...(resets > 0 ? [`${resets} requests on kept connections were cut`] : []),
      ],
    };
  },
};
