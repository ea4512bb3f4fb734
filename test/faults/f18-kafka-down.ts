import type { WorldFailure } from "./failure.ts";
import { during, refusals, underLoad } from "./outage.ts";
import type { World } from "./world.ts";

const DOWN_MS = 60_000;
const DOWN_BRIEF_MS = 6_000;
const REFUSED_MAX_MS = 1_100;
const REFUSED_OPEN_MAX_MS = 50;

function kafkaDown(
  named: Pick<WorldFailure, "id" | "title">,
  bringDown: (kafka: World["servers"]["kafka"]) => Promise<unknown>,
): WorldFailure {
  return {
    ...named,
    objective: { what: "orders are accepted again", ms: 10_000 },
    world: { apis: 2, workers: 1 },
    async run(world, { orders, brief }) {
      const { kafka } = world.servers;
      const outageMs = brief ? DOWN_BRIEF_MS : DOWN_MS;
      const outage = await underLoad(world, { orders, outageMs }, () =>
        during(
          outageMs,
          () => bringDown(kafka),
          () => kafka.restart(),
        ),
      );
      return refusals(world, outage, { p99Ms: REFUSED_MAX_MS, openMedianMs: REFUSED_OPEN_MAX_MS });
    },
  };
}

export const f18a = kafkaDown({ id: "F18a", title: "Kafka stopped, and back a minute later" }, (kafka) =>
  kafka.stop(),
);

export const f18b = kafkaDown({ id: "F18b", title: "Kafka killed, and back a minute later" }, (kafka) => {
  kafka.kill("SIGKILL");
  return kafka.exited();
});
