import fc from "fast-check";
import { TOPICS } from "../../shared/kafka/topics.ts";
import type { Program } from "../../tools/stack/programs.ts";
import { takeUnit } from "../support/take-unit.ts";
import { until } from "../support/until.ts";
import type { Samples } from "./memory.ts";
import { residentBytes, type FuzzSite, type FuzzWish } from "./site.ts";
import { fuzzedMessages } from "./messages.ts";

const BATCH = 500;
const PRICE = 12_900;
/** One good order among so many. */
const GOOD_EVERY = 50;
const DECIDED_DEADLINE_MS = 120_000;

/**
 * Bad messages with a few good ones among them: the good ones are settled, and no other order is.
 * @returns the worker's resident bytes after each batch
 */
export async function fuzzMessages(site: FuzzSite, worker: Program, wish: FuzzWish): Promise<Samples> {
  const { seed, messages, report } = wish;
  const { sandbox, http } = site;
  // What the requests have ordered is decided first.
  await decided(site);
  const sale = await sandbox.openSale(http, { stock: messages, price: PRICE });
  const order = {
    ...{ v: 1 as const, productId: sale.id, quantity: 1, unitPrice: PRICE, currency: "KRW" },
    acceptedAt: Date.now(),
  };
  const arbitrary = fuzzedMessages(order);
  const buyers = await sandbox.users(Math.ceil(messages / GOOD_EVERY));
  const samples: number[] = [];
  for (let done = 0; done < messages; done += BATCH) {
    const size = Math.min(BATCH, messages - done);
    const bad = fc
      .sample(arbitrary, { seed: seed + done, numRuns: size })
      .map((value) => ({ key: null, value }));
    const mine = buyers.splice(0, Math.ceil(size / GOOD_EVERY));
    const good = await Promise.all(mine.map(({ id }) => takeUnit(sandbox.redis, sale.id, id)));
    const among = good.map(({ order: { orderId }, value }) => ({ key: orderId, value }));
    await sandbox.producer.send({ topic: TOPICS.orders, acks: -1, messages: [...bad, ...among] });
    await decided(site);
    const rows = new Map((await sandbox.rowsOf(sale.id)).map(({ id, status }) => [id, status]));
    for (const { order: taken } of good)
      if (rows.get(taken.orderId) !== "SUCCESS")
        site.problems.push(`a good order among bad messages is ${rows.get(taken.orderId) ?? "not there"}`);
    samples.push(residentBytes(worker));
    report(`${done + size} messages, ${site.problems.length} problems`);
  }
  const sold = await sandbox.database.count("SELECT sold FROM products WHERE id = ?", [sale.id]);
  const wanted = Math.ceil(messages / GOOD_EVERY);
  if (sold !== wanted) site.problems.push(`${sold} units are sold, and ${wanted} good orders were sent`);
  return samples;
}

const decided = ({ sandbox }: FuzzSite) =>
  until("everything is decided", async () => (await sandbox.lag()) === 0, DECIDED_DEADLINE_MS, 50);
