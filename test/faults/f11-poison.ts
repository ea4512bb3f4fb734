import { TOPICS } from "../../shared/kafka/topics.ts";
import { NAMED, UNNAMED, type BadKind } from "../support/bad-messages.ts";
import { readDeadLetters } from "../support/dead-letters.ts";
import { badMessage } from "./bad-messages.ts";
import type { WorldFailure } from "./failure.ts";

const GOOD = 10_000;
const EACH = 20;
const EACH_BRIEF = 2;
const KINDS: ReadonlySet<string> = new Set([
  ...["no value", "an empty value", "no JSON", "half a message", "bytes that are no UTF-8", "a megabyte"],
  ...["no order id", "no user", "an unknown version", "quantity −1", "another price", "an unknown user"],
  ...["an unknown product", "an instant at the sale's end"],
]);

/** Messages that no order can be read from, or that no order may be made of, among good ones. */
export const f11: WorldFailure = {
  id: "F11",
  title: "poisoned messages of fourteen kinds",
  world: { apis: 1, workers: 2 },
  async run(world, { orders, brief, random }) {
    const kinds = [...UNNAMED, ...NAMED].filter(({ what }) => KINDS.has(what));
    const shopping = world.shop.begin({ buyers: await world.users(brief ? orders : Math.max(orders, GOOD)) });
    const partitions = (await world.withAdmin((admin) => admin.fetchTopicOffsets(TOPICS.orders))).length;
    const producer = world.kafka.producer({ allowAutoTopicCreation: false });
    await producer.connect();
    const bad = Array.from({ length: brief ? EACH_BRIEF : EACH }, (): readonly BadKind[] => kinds).flat();
    for (const kind of bad) {
      const message = { ...(await badMessage(world, kind)), partition: random.between(0, partitions - 1) };
      await producer.send({ topic: TOPICS.orders, acks: -1, messages: [message] });
    }
    await producer.disconnect();
    await shopping.done;
    return {
      deadLetters: bad.length,
      figures: { kinds: kinds.length, bad: bad.length },
      misses: kinds.length === KINDS.size ? [] : [`only ${kinds.length} kinds are known`],
    };
  },
  async after(world, measured) {
    const parked = new Set(
      (await readDeadLetters(world.kafka)).map(({ partition, offset }) => `${partition} ${offset}`),
    ).size;
    return parked === measured.deadLetters ? [] : [`${parked} letters in their topic`];
  },
};
