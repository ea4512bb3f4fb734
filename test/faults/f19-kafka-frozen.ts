import type { WorldFailure } from "./failure.ts";
import { during, refusals, underLoad } from "./outage.ts";

const FROZEN_MS = 45_000;
const FROZEN_BRIEF_MS = 6_000;
const REFUSED_MAX_MS = 1_100;
const REFUSED_OPEN_MAX_MS = 50;

/** Its connections stay open, and what was sent before the freeze may land after it. */
export const f19: WorldFailure = {
  id: "F19",
  title: "Kafka frozen, and thawed",
  objective: { what: "orders are accepted again", ms: 10_000 },
  // The product's own: what the objective is made of.
  world: { apis: 2, workers: 1, settings: { PRODUCE_TIMEOUT_MS: "900" } },
  async run(world, { orders, brief }) {
    const { kafka } = world.servers;
    const outageMs = brief ? FROZEN_BRIEF_MS : FROZEN_MS;
    const outage = await underLoad(world, { orders, outageMs }, () =>
      during(
        outageMs,
        () => {
          kafka.kill("SIGSTOP");
        },
        () => {
          kafka.kill("SIGCONT");
        },
      ),
    );
    return refusals(world, outage, { p99Ms: REFUSED_MAX_MS, openMedianMs: REFUSED_OPEN_MAX_MS });
  },
};
