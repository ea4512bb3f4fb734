import { expect } from "chai";
import type { Producer, ProducerRecord } from "kafkajs";
import { rawMessage } from "../testing/samples.ts";
import { createDeadLetterTopic } from "./dead-letter-topic.ts";

describe("the dead-letter topic", () => {
  it("gets a message as it came, with its place, the reason and the time, for all replicas to acknowledge", async () => {
    const sent: ProducerRecord[] = [];
    const producer = {
      send: async (record: ProducerRecord) => {
        sent.push(record);
        return [];
      },
    } as unknown as Producer;
    await createDeadLetterTopic(producer, () => 0).park([{ message: rawMessage(7, "{", 3), error: "why" }]);
    expect(sent[0]).to.include({ topic: "flashpay.orders.v1.dlt", acks: -1 });
    const [message] = sent[0]?.messages ?? [];
    expect(String(message?.value)).to.equal("{");
    expect(message?.headers).to.deep.equal({
      "dlt-topic": "flashpay.orders.v1",
      "dlt-partition": "3",
      "dlt-offset": "7",
      "dlt-error": "why",
      "dlt-at": "1970-01-01T00:00:00.000Z",
    });
  });

  it("keeps a null value null, and is not asked for nothing", async () => {
    const sent: ProducerRecord[] = [];
    const producer = {
      send: async (record: ProducerRecord) => void sent.push(record),
    } as unknown as Producer;
    const topic = createDeadLetterTopic(producer, () => 0);
    await topic.park([]);
    expect(sent).to.deep.equal([]);
    await topic.park([{ message: rawMessage(1, null), error: "why" }]);
    expect(sent[0]?.messages[0]?.value).to.equal(null);
  });
});
