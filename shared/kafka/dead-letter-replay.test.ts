import { expect } from "chai";
import sinon from "sinon";
import { createDeadLetterReplay } from "./dead-letter-replay.ts";
import { TOPICS } from "./topics.ts";

const PRODUCE_TIMEOUT_MS = 1_000;
const LETTER = { key: Buffer.from([0x00, 0xff]), value: Buffer.from([0xc3, 0x28]) };

/** A log that takes messages, refuses them, or says nothing. */
function createScene(answer: () => Promise<never[]> = () => Promise.resolve([])) {
  const send = sinon.spy(answer);
  return {
    send,
    replay: createDeadLetterReplay({ producer: { send }, produceTimeoutMs: PRODUCE_TIMEOUT_MS }),
  };
}
const ended = (work: Promise<unknown>) =>
  work.then(
    () => "acknowledged",
    () => "unknown",
  );

describe("putting a dead letter into the log again", () => {
  let time: sinon.SinonFakeTimers;
  beforeEach(() => {
    time = sinon.useFakeTimers();
  });
  afterEach(() => {
    time.restore();
  });

  it("sends key and value byte for byte to the orders topic, for all replicas to acknowledge", async () => {
    const { send, replay } = createScene();
    await replay.send(LETTER);
    expect(send.args).to.deep.equal([[{ topic: TOPICS.orders, acks: -1, messages: [LETTER] }]]);
  });

  it("sends what has neither key nor value", async () => {
    const { send, replay } = createScene();
    await replay.send({ key: null, value: null });
    expect(send.args).to.deep.equal([
      [{ topic: TOPICS.orders, acks: -1, messages: [{ key: null, value: null }] }],
    ]);
  });

  it("gives up after its time when the log says nothing", async () => {
    const { replay } = createScene(() => new Promise(() => undefined));
    const outcome = ended(replay.send(LETTER));
    await time.tickAsync(PRODUCE_TIMEOUT_MS);
    expect(await outcome).to.equal("unknown");
  });

  it("fails at once for one second after the log failed, and then tries again", async () => {
    let broken = true;
    const { send, replay } = createScene(() =>
      broken ? Promise.reject(new Error("gone")) : Promise.resolve([]),
    );
    expect(await ended(replay.send(LETTER))).to.equal("unknown");
    broken = false;
    expect(await ended(replay.send(LETTER))).to.equal("unknown");
    expect(send.callCount).to.equal(1);
    await time.tickAsync(1_000);
    expect(await ended(replay.send(LETTER))).to.equal("acknowledged");
    expect(await ended(replay.send(LETTER))).to.equal("acknowledged");
  });
});
