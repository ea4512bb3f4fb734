import { TOPICS } from "../../shared/kafka/topics.ts";
import { UNNAMED } from "../support/bad-messages.ts";
import { badMessage } from "./bad-messages.ts";
import { f11 } from "./f11-poison.ts";
import type { WorldFailure } from "./failure.ts";
import { decidingAgainMs } from "./measure.ts";
import { lasting } from "./world.ts";

const AWAY_MS = 20_000;
const AWAY_BRIEF_MS = 5_000;
const BAD = 20;

/** The dead-letter topic alone cannot be written: its letters must wait, not vanish, and their offsets with them. */
export const f12: WorldFailure = {
  id: "F12",
  title: "the dead-letter topic takes nothing",
  objective: { what: "orders are decided again", ms: 10_000 },
  world: { apis: 1, workers: 1, through: { worker: ["kafka"] } },
  async run(world, { orders, brief }) {
    const awayMs = brief ? AWAY_BRIEF_MS : AWAY_MS;
    const perSecond = orders / (awayMs / 1_000);
    const shopping = world.shop.begin({ buyers: await world.users(orders), perSecond });
    const proxy = world.proxy("worker", "kafka");
    proxy.trigger({ on: "up", pattern: TOPICS.deadLetters, act: "cut before" });
    const producer = world.kafka.producer({ allowAutoTopicCreation: false });
    await producer.connect();
    for (let i = 0; i < BAD; i += 1) {
      const kind = UNNAMED[i % UNNAMED.length];
      if (kind) await producer.send({ topic: TOPICS.orders, messages: [await badMessage(world, kind)] });
      await lasting(awayMs / BAD);
    }
    await producer.disconnect();
    const cuts = proxy.acted();
    proxy.pass();
    const backAt = Date.now();
    await shopping.done;
    return {
      deadLetters: BAD,
      figures: { cuts },
      misses: cuts === 0 ? ["no letter was held up"] : [],
      recovery: (rows) => ({ recoveryMs: decidingAgainMs(rows, backAt) }),
    };
  },
  ...(f11.after && { after: f11.after }),
};
