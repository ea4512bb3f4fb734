import { randomUUID } from "node:crypto";
import type { Message } from "kafkajs";
import { TOPICS } from "../../shared/kafka/topics.ts";
import { until } from "../support/until.ts";
import type { WorldFailure } from "./failure.ts";
import type { Random } from "./random.ts";
import type { World } from "./world.ts";

const ORDERS = 10_000;
const COPIES_MAX = 5;
const MESSAGES_PER_SEND = 500;
const READ_DEADLINE_MS = 60_000;

/** Every message of the log comes up to four times more, in any order and any partition, to two workers. */
export const f04: WorldFailure = {
  id: "F4",
  title: "each message produced up to five times",
  world: { apis: 1, workers: 2 },
  async run(world, { orders, brief, random }) {
    await Promise.all(world.workers.map((worker) => worker.stop()));
    await world.shop.begin({ buyers: await world.users(brief ? orders : Math.max(orders, ORDERS)) }).done;
    const messages = await readOrders(world);
    const copies = shuffled(
      messages.flatMap((message) => Array.from({ length: random.between(0, COPIES_MAX - 1) }, () => message)),
      random,
    );
    const partitions = await partitionsOf(world);
    const producer = world.kafka.producer({ allowAutoTopicCreation: false });
    await producer.connect();
    for (const worker of world.workers) worker.resume();
    for (let i = 0; i < copies.length; i += MESSAGES_PER_SEND) {
      const some = copies.slice(i, i + MESSAGES_PER_SEND);
      // Half of them to a partition of chance, where another worker may hold them.
      const messagesTo = some.map((message) =>
        random.chance(0.5) ? { ...message, partition: random.between(0, partitions - 1) } : message,
      );
      await producer.send({ topic: TOPICS.orders, acks: -1, messages: messagesTo });
    }
    await producer.disconnect();
    await Promise.all(world.workers.map((worker) => worker.ready()));
    return { figures: { copies: copies.length } };
  },
};

async function partitionsOf(world: World): Promise<number> {
  return (await world.withAdmin((admin) => admin.fetchTopicOffsets(TOPICS.orders))).length;
}

async function readOrders(world: World): Promise<Message[]> {
  const ends = await world.withAdmin((admin) => admin.fetchTopicOffsets(TOPICS.orders));
  const wanted = ends.reduce((sum, { high, low }) => sum + Number(high) - Number(low), 0);
  const consumer = world.kafka.consumer({ groupId: `faults-${randomUUID()}`, maxWaitTimeInMs: 100 });
  const messages: Message[] = [];
  try {
    await consumer.connect();
    await consumer.subscribe({ topic: TOPICS.orders, fromBeginning: true });
    await consumer.run({
      eachMessage: ({ message: { key, value } }) => {
        messages.push({ key, value });
        return Promise.resolve();
      },
    });
    await until("all orders of the log are read", () => messages.length >= wanted, READ_DEADLINE_MS);
    return messages;
  } finally {
    await consumer.disconnect();
  }
}

function shuffled<T>(items: readonly T[], random: Random): T[] {
  const mixed = [...items];
  for (let i = mixed.length - 1; i > 0; i -= 1) {
    const j = random.between(0, i);
    [mixed[i], mixed[j]] = [mixed[j] as T, mixed[i] as T];
  }
  return mixed;
}
