import type { EachBatchHandler, EachBatchPayload, Kafka } from "kafkajs";
import type {
  BacklogWatch,
  DeadLetter,
  DeadLetterTopic,
  OrderEvents,
  StockStore,
} from "../../shared/domain/ports.ts";
import { PRODUCE_SETTLED_MS } from "../../shared/kafka/client.ts";
import { TOPICS } from "../../shared/kafka/topics.ts";
import type { Network, Request } from "./network.ts";
import type { Random } from "./random.ts";
import type { Process, Scheduler } from "./scheduler.ts";

/** Who is silent for longer is no member of the group any more. */
export const SESSION_TIMEOUT_MS = 10_000;
const PARTITIONS = 2;
const FETCH_MAX = 6;
const IDLE_POLL_MS = 800;
const PRODUCE_TIMEOUT_MS = 1_500;
const REQUEST_TIMEOUT_MS = 2_000;

interface Entry {
  readonly key: string;
  readonly value: string;
  readonly at: number;
}

/** A worker as the group's coordinator and the worker itself know it. */
interface Member {
  readonly process: Process;
  readonly eachBatch: EachBatchHandler;
  /** The assignment that the worker has heard of; the coordinator may be further. */
  heard: number;
}

export interface SimulatedKafkaOptions {
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly network: Network;
}

/** A log of some partitions and one group, with kafkajs's consumer in front of it. */
export function createSimulatedKafka({ scheduler, random, network }: SimulatedKafkaOptions) {
  const logs = Array.from({ length: PARTITIONS }, (): Entry[] => []);
  const committed = logs.map(() => 0);
  const letters: DeadLetter[] = [];
  let members: Member[] = [];
  let generation = 0;
  let owners: (Member | undefined)[] = [];
  return { logs, committed, letters, portsOf, clientOf, append, expel, rebalance, rewind, drained };

  function ask<T>(from: Process, what: string, act: () => T, changes: Partial<Request<T>> = {}): Promise<T> {
    return network.call({
      from,
      to: "kafka",
      what,
      act,
      failure: (how) => new Error(`kafka: ${how}`),
      timeoutMs: REQUEST_TIMEOUT_MS,
      lateMaxMs: REQUEST_TIMEOUT_MS,
      resent: false,
      ...changes,
    });
  }

  function append(key: string, value: string): void {
    // Mostly all copies of one order meet in one partition; nothing may rely on it.
    const own = Buffer.from(key).reduce((sum, byte) => sum + byte, 0) % PARTITIONS;
    const partition = random.chance(0.9) ? own : random.below(PARTITIONS);
    logs[partition]?.push({ key, value, at: scheduler.now() });
  }

  function portsOf(process: Process, stock: Pick<StockStore, "markPublished">) {
    const away = () => network.faults.on && network.faults.away.has("kafka");
    const events: OrderEvents = {
      // The breaker notices an outage, not at once and not for all of it.
      accepting: () => !away() || random.chance(0.3),
      publish: (order, value) =>
        ask(
          process,
          `produce ${order.orderId.slice(-4)}`,
          () => {
            append(order.orderId, value);
          },
          {
            timeoutMs: PRODUCE_TIMEOUT_MS,
            lateMaxMs: PRODUCE_SETTLED_MS - 1_000,
            resent: true,
            onDone: () => {
              stock.markPublished([order]).catch(() => undefined);
            },
          },
        ),
    };
    const deadLetters: DeadLetterTopic = {
      park: async (parked) => {
        if (parked.length === 0) return;
        await ask(process, "produce dead letters", () => void letters.push(...parked), { resent: true });
      },
    };
    const backlog: BacklogWatch = {
      endOffsets: () =>
        ask(
          process,
          "end offsets",
          () => new Map(logs.map((log, partition) => [partition, BigInt(log.length)])),
        ),
      hasReached: (ends) =>
        ask(process, "group offsets", () =>
          [...ends].every(([partition, end]) => BigInt(committed[partition] ?? 0) >= end),
        ),
      lag: async () => 0n,
    };
    return { events, deadLetters, backlog };
  }

  /** The consumer's side of kafkajs, as far as order-consumer.ts uses it. */
  function clientOf(process: Process): Kafka {
    const consumer = {
      events: { GROUP_JOIN: "join", REBALANCING: "rebalancing", CRASH: "crash" },
      on: () => () => undefined,
      connect: async () => undefined,
      subscribe: async () => undefined,
      disconnect: async () => undefined,
      run: async ({ eachBatch }: { eachBatch: EachBatchHandler }) => {
        join({ process, eachBatch, heard: 0 });
      },
    };
    return { consumer: () => consumer } as unknown as Kafka;
  }

  function join(member: Member): void {
    if (!members.includes(member)) members.push(member);
    rebalance();
  }

  /** The session of a process has run out: it died, or has been frozen for too long. */
  function expel(process: Process): void {
    members = members.filter((member) => member.process !== process);
    rebalance();
  }

  function rebalance(): void {
    generation += 1;
    const current = generation;
    owners = logs.map(() => (members.length > 0 ? random.pick(members) : undefined));
    const mine = owners;
    for (const member of members) {
      const heard = () => {
        if (member.heard >= current) return;
        member.heard = current;
        mine.forEach((owner, partition) => {
          if (owner === member) void consume(member, partition, current);
        });
      };
      const what = `${member.process.name} hears of generation ${current}`;
      scheduler.plan(random.below(500), what, heard, { owner: member.process });
    }
  }

  function checkGeneration(member: Member, known: number, partition: number): void {
    if (known === generation && owners[partition] === member) return;
    // The answer makes the worker join anew, when it is no member any more and still there to hear it.
    if (!members.includes(member) && member.process.alive) join(member);
    throw new Error("the coordinator knows of a newer generation");
  }

  async function consume(member: Member, partition: number, known: number): Promise<void> {
    const { process } = member;
    const fresh = () => member.heard === known;
    let position: number | undefined;
    while (fresh()) {
      try {
        position ??= await ask(process, `offset of ${partition}`, () => committed[partition] ?? 0);
        const from = position;
        const size = random.between(1, FETCH_MAX);
        const entries = await ask(process, `fetch ${partition}@${from}`, () =>
          (logs[partition] ?? []).slice(from, from + size),
        );
        if (!fresh()) return;
        if (entries.length > 0) position = await hand(member, { partition, known, from, entries });
        else {
          await scheduler.sleep(IDLE_POLL_MS);
          await ask(process, "heartbeat", () => {
            checkGeneration(member, known, partition);
          });
        }
      } catch {
        // As kafkajs does: what is not committed is fetched again.
        position = undefined;
        await scheduler.sleep(IDLE_POLL_MS);
      }
    }
  }

  interface Fetched {
    readonly partition: number;
    readonly known: number;
    readonly from: number;
    readonly entries: readonly Entry[];
  }

  /** @returns where to go on */
  async function hand(member: Member, { partition, known, from, entries }: Fetched): Promise<number> {
    let resolved = from;
    const { process } = member;
    const payload = {
      batch: {
        topic: TOPICS.orders,
        partition,
        messages: entries.map(({ key, value, at }, i) => ({
          key: Buffer.from(key),
          value: Buffer.from(value),
          timestamp: String(at),
          offset: String(from + i),
        })),
      },
      resolveOffset: (offset: string) => {
        resolved = Number(offset) + 1;
      },
      uncommittedOffsets: () => ({ offset: resolved }),
      commitOffsetsIfNecessary: ({ offset }: { offset: number }) =>
        ask(process, `commit offset ${partition}@${offset}`, () => {
          checkGeneration(member, known, partition);
          committed[partition] = offset;
        }),
      heartbeat: () =>
        ask(process, "heartbeat", () => {
          checkGeneration(member, known, partition);
        }),
      isRunning: () => true,
      isStale: () => member.heard !== known,
    };
    await member.eachBatch(payload as unknown as EachBatchPayload);
    return resolved;
  }

  /** The group's offsets are lost or set back: much comes again. */
  function rewind(): void {
    committed.forEach((offset, partition) => {
      committed[partition] = random.below(offset + 1);
    });
    rebalance();
  }

  function drained(): boolean {
    return logs.every((log, partition) => committed[partition] === log.length);
  }
}
export type SimulatedKafka = ReturnType<typeof createSimulatedKafka>;
