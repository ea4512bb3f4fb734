import { expect } from "chai";
import type { ConsumerRunConfig, EachBatchPayload, Kafka } from "kafkajs";
import { createLogRecorder } from "../testing/log.ts";
import { createOrderConsumer, type ConsumerOptions, type OrderConsumer } from "./order-consumer.ts";
import { TOPICS } from "./topics.ts";

const BATCH_MAX = 2;

interface Scene {
  readonly consumer: OrderConsumer;
  /** What happened, in order. */
  readonly steps: string[];
  readonly died: Error[];
  readonly group: { running: boolean; stale: boolean };
  deliver(offsets: readonly number[]): Promise<void>;
  emit(event: string, payload: object): void;
}

/** A kafkajs consumer that hands over what the test says, and records what it is told. */
async function started(handle: ConsumerOptions["handle"]): Promise<Scene> {
  const steps: string[] = [];
  const died: Error[] = [];
  const group = { running: true, stale: false };
  const listeners = new Map<string, (event: { payload: object }) => void>();
  let config: ConsumerRunConfig = {};
  let resolved: string | undefined;
  const fake = {
    events: { GROUP_JOIN: "join", REBALANCING: "rebalancing", CRASH: "crash" },
    on: (event: string, listener: (event: { payload: object }) => void) => listeners.set(event, listener),
    connect: async () => undefined,
    disconnect: async () => void steps.push("left"),
    subscribe: async () => undefined,
    run: async (given: ConsumerRunConfig) => {
      config = given;
    },
  };
  const consumer = createOrderConsumer({
    kafka: { consumer: () => fake } as unknown as Kafka,
    sessionTimeoutMs: 10_000,
    batchMax: BATCH_MAX,
    log: createLogRecorder(),
    handle: async (messages, mine) => {
      const outcome = await handle(messages, mine);
      steps.push(`${outcome} ${messages.map(({ offset }) => offset).join(",")}`);
      return outcome;
    },
    onDead: (error) => died.push(error),
  });
  await consumer.start();
  return {
    ...{ consumer, steps, died, group, deliver },
    emit: (event, payload) => listeners.get(event)?.({ payload }),
  };

  async function deliver(offsets: readonly number[]): Promise<void> {
    const messages = offsets.map((offset) => ({
      offset: String(offset),
      timestamp: "0",
      key: null,
      value: null,
    }));
    const payload = {
      batch: { topic: TOPICS.orders, partition: 0, messages },
      resolveOffset: (offset: string) => {
        resolved = offset;
        steps.push(`resolved ${offset}`);
      },
      uncommittedOffsets: () => resolved,
      commitOffsetsIfNecessary: async (offset: unknown) => void steps.push(`committed ${String(offset)}`),
      heartbeat: async () => undefined,
      isRunning: () => group.running,
      isStale: () => group.stale,
    };
    await config.eachBatch?.(payload as unknown as EachBatchPayload);
    // As kafkajs does it, with what was asked for or its default.
    if (config.eachBatchAutoResolve !== false) payload.resolveOffset(messages.at(-1)?.offset ?? "");
  }
}

const decided = async () => "decided" as const;

describe("the consumer of orders", () => {
  it("moves the offset only when its messages are decided, part by part", async () => {
    const { steps, deliver } = await started(decided);
    await deliver([5, 6, 7]);
    expect(steps).to.deep.equal([
      ...["decided 5,6", "resolved 6", "committed 6"],
      ...["decided 7", "resolved 7", "committed 7"],
    ]);
  });

  it("leaves the offset where it is when deciding fails: the messages come again", async () => {
    const { steps, deliver } = await started(() => Promise.reject(new Error("killed")));
    await deliver([5, 6, 7]).catch(() => undefined);
    expect(steps).to.deep.equal([]);
  });

  it("leaves the offset before the first message that was abandoned", async () => {
    const { steps, deliver } = await started(async ([first]) =>
      first?.offset === "5" ? "decided" : "abandoned",
    );
    await deliver([5, 6, 7, 8, 9]);
    expect(steps).to.deep.equal(["decided 5,6", "resolved 6", "committed 6", "abandoned 7,8"]);
  });

  for (const [when, change] of [
    ["went to another worker", { stale: true }],
    ["is being stopped", { running: false }],
  ] as const) {
    it(`touches no more of a batch that ${when}, and tells the handler at once`, async () => {
      const heard: boolean[] = [];
      const scene = await started(async (_, mine) => {
        heard.push(mine());
        Object.assign(scene.group, change);
        heard.push(mine());
        return "decided";
      });
      await scene.deliver([5, 6, 7]);
      expect(heard).to.deep.equal([true, false]);
      expect(scene.steps).to.deep.equal(["decided 5,6", "resolved 6", "committed 6"]);
    });
  }

  it("is over when kafkajs gives up, and says so, but not when it goes on or was told to stop", async () => {
    const { consumer, emit, died } = await started(decided);
    emit("crash", { restart: true, error: new Error("will be back") });
    expect(died).to.deep.equal([]);
    emit("crash", { restart: false, error: new Error("gone") });
    expect(died.map(({ message }) => message)).to.deep.equal(["gone"]);
    await consumer.stop();
    emit("crash", { restart: false, error: new Error("stopping") });
    expect(died).to.have.lengthOf(1);
  });

  it("counts as joined from its assignment to the next rebalance", async () => {
    const { consumer, emit } = await started(decided);
    expect(consumer.joined()).to.equal(false);
    emit("join", { memberAssignment: { [TOPICS.orders]: [0] } });
    expect(consumer.joined()).to.equal(true);
    emit("rebalancing", {});
    expect(consumer.joined()).to.equal(false);
  });
});
