import { expect } from "chai";
import sinon from "sinon";
import { createLogRecorder } from "../testing/log.ts";
import { orderIdOf, sampleOrder } from "../testing/samples.ts";
import { createOrderEvents, type PublishedOrder } from "./order-events.ts";
import { TOPICS } from "./topics.ts";

const PRODUCE_TIMEOUT_MS = 1_000;

interface Send {
  readonly values: readonly string[];
  readonly acks: unknown;
  readonly topic: string;
  readonly keys: readonly unknown[];
  readonly headers: readonly unknown[];
  readonly partitions: readonly unknown[];
  readonly acknowledge: () => void;
  readonly refuse: (error: Error) => void;
}

/** A producer whose requests end when the test says so. */
function createScene() {
  const sends: Send[] = [];
  const published: PublishedOrder[] = [];
  const batches: { size: number; ok: boolean }[] = [];
  const log = createLogRecorder();
  const events = createOrderEvents({
    producer: {
      send: ({ topic, acks, messages }) =>
        new Promise((resolve, refuse) => {
          sends.push({
            topic,
            acks,
            values: messages.map(({ value }) => String(value)),
            keys: messages.map(({ key }) => key),
            headers: messages.map(({ headers }) => headers),
            partitions: messages.map(({ partition }) => partition),
            acknowledge: () => {
              resolve([]);
            },
            refuse,
          });
        }),
    },
    produceTimeoutMs: PRODUCE_TIMEOUT_MS,
    log,
    onBatch: ({ size, ok }) => void batches.push({ size, ok }),
    onPublished: (orders) => void published.push(...orders),
  });
  const publish = (n: number) => {
    const publishing = events.publish(sampleOrder({ orderId: orderIdOf(n) }), `value ${n}`);
    const outcome = { is: "waiting" };
    publishing.then(
      () => (outcome.is = "published"),
      () => (outcome.is = "rejected"),
    );
    return outcome;
  };
  return { events, sends, published, batches, log, publish };
}

describe("handing orders to the log", () => {
  it("gives all orders of a request one turn, and the next request the next: a partition each", async () => {
    const { sends, publish } = createScene();
    for (const n of [1, 2]) publish(n);
    await new Promise((resolve) => setImmediate(resolve));
    publish(3);
    await new Promise((resolve) => setImmediate(resolve));
    expect(sends.map(({ partitions }) => partitions)).to.deep.equal([[0, 0], [1]]);
  });

  let time: sinon.SinonFakeTimers;
  beforeEach(() => {
    time = sinon.useFakeTimers({
      toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval", "Date", "performance"],
    });
  });
  afterEach(() => {
    time.restore();
  });

  /** The log has refused three requests, one after the other. */
  async function failedScene() {
    const scene = createScene();
    for (let n = 1; n <= 3; n += 1) {
      scene.publish(n);
      await settle();
      scene.sends.at(-1)?.refuse(new Error("no broker"));
      await settle();
    }
    return scene;
  }

  /** Lets everything that is due happen; no timer moves. */
  async function settle(): Promise<void> {
    for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  }

  it("carries each order's own context in its message, and no header where there is none", async () => {
    const { events, sends } = createScene();
    void events.publish(sampleOrder({ orderId: orderIdOf(1) }), "value 1", "its context");
    void events.publish(sampleOrder({ orderId: orderIdOf(2) }), "value 2");
    await settle();
    expect(sends.map(({ headers }) => headers)).to.deep.equal([[{ traceparent: "its context" }, undefined]]);
    sends[0]?.acknowledge();
  });

  it("puts all orders of one turn into one request, keyed by order, for all replicas to acknowledge", async () => {
    const { sends, publish } = createScene();
    for (let n = 1; n <= 100; n += 1) publish(n);
    await settle();
    expect(sends).to.have.lengthOf(1);
    expect(sends[0]).to.include({ topic: TOPICS.orders, acks: -1 });
    expect(sends[0]?.values).to.have.lengthOf(100);
    expect(sends[0]?.keys[41]).to.equal(orderIdOf(42));
  });

  it("resolves once the log has the order, not before", async () => {
    const { sends, publish } = createScene();
    const outcome = publish(1);
    await settle();
    expect(outcome.is).to.equal("waiting");
    sends[0]?.acknowledge();
    await settle();
    expect(outcome.is).to.equal("published");
  });

  it("has at most two requests on their way; what comes meanwhile shares the next one", async () => {
    const { sends, publish } = createScene();
    publish(1);
    await settle();
    publish(2);
    await settle();
    for (let n = 3; n <= 9; n += 1) {
      publish(n);
      await settle();
    }
    expect(sends).to.have.lengthOf(2);
    sends[0]?.acknowledge();
    await settle();
    expect(sends).to.have.lengthOf(3);
    expect(sends[2]?.values).to.have.lengthOf(7);
  });

  it("puts no more than 500 orders into a request", async () => {
    const { sends, publish } = createScene();
    for (let n = 1; n <= 1_200; n += 1) publish(n);
    await settle();
    expect(sends.map(({ values }) => values.length)).to.deep.equal([500, 500]);
  });

  it("rejects the orders of the request that failed, and no others", async () => {
    const { sends, publish } = createScene();
    const first = publish(1);
    await settle();
    const second = publish(2);
    await settle();
    sends[1]?.refuse(new Error("NOT_ENOUGH_REPLICAS"));
    await settle();
    sends[0]?.acknowledge();
    await settle();
    expect(second.is).to.equal("rejected");
    expect(first.is).to.be.oneOf(["published"]);
  });

  it("takes no orders while 5 000 wait, and takes them again when there is room", async () => {
    const { events, sends, publish } = createScene();
    for (let n = 1; n <= 4_999; n += 1) publish(n);
    expect(events.accepting()).to.equal(true);
    publish(5_000);
    expect(events.accepting()).to.equal(false);
    await settle();
    sends[0]?.acknowledge();
    await settle();
    expect(events.accepting()).to.equal(true);
  });

  it("gives an order up after its time, and still hears when the log has it after all", async () => {
    const { sends, publish, published } = createScene();
    const outcome = publish(1);
    await settle();
    await time.tickAsync(PRODUCE_TIMEOUT_MS);
    await settle();
    expect(outcome.is).to.equal("rejected");
    expect(published).to.deep.equal([]);
    sends[0]?.acknowledge();
    await settle();
    expect(published.map(({ orderId }) => orderId)).to.deep.equal([orderIdOf(1)]);
  });

  it("never says published of a request that failed", async () => {
    const { sends, publish, published } = createScene();
    publish(1);
    await settle();
    sends[0]?.refuse(new Error("gone"));
    await settle();
    expect(published).to.deep.equal([]);
  });

  it("takes no orders once the log fails, and tries again one second later", async () => {
    const { events, sends, publish } = await failedScene();
    expect(events.accepting()).to.equal(false);
    await time.tickAsync(1_000);
    await settle();
    expect(events.accepting()).to.equal(true);
    const outcome = publish(9);
    await settle();
    sends.at(-1)?.acknowledge();
    await settle();
    expect(outcome.is).to.equal("published");
    expect(events.accepting()).to.equal(true);
  });

  it("lets one order try whether the log is back; who asks beside it hears no, and a trial that never came gives way", async () => {
    const { events } = await failedScene();
    await time.tickAsync(1_000);
    await settle();
    const asked = Array.from({ length: 5 }, () => events.accepting());
    expect(asked).to.deep.equal([true, false, false, false, false]);
    expect(events.healthy()).to.equal(false);
    await time.tickAsync(500);
    expect([events.accepting(), events.accepting()]).to.deep.equal([true, false]);
  });

  it("takes no orders while the one that tries whether the log is back is on its way", async () => {
    const { events, publish } = await failedScene();
    await time.tickAsync(1_000);
    await settle();
    publish(4);
    await settle();
    expect(events.accepting()).to.equal(false);
  });

  it("is drained when nothing waits and nothing is on its way, however that ended", async () => {
    const { events, sends, publish } = createScene();
    const states: string[] = [];
    await events.drained();
    publish(1);
    const drained = events.drained().then(() => states.push("drained"));
    await settle();
    publish(2);
    await settle();
    sends[0]?.refuse(new Error("gone"));
    await settle();
    expect(states).to.deep.equal([]);
    sends[1]?.acknowledge();
    await settle();
    await drained;
    expect(states).to.deep.equal(["drained"]);
  });

  it("tells of each request how large it was and whether the log took it", async () => {
    const { sends, publish, batches } = createScene();
    publish(1);
    publish(2);
    await settle();
    sends[0]?.acknowledge();
    await settle();
    expect(batches).to.deep.equal([{ size: 2, ok: true }]);
  });
});
