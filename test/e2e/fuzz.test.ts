import { expect } from "chai";
import { fuzz } from "../fuzz/fuzz.ts";

/** The long form is `npm run test:fuzz`. */
const REQUESTS = 1_000;
const MESSAGES = 500;
const CONNECTIONS = 100;
const SEED_END = 1_000_000;

describe("random requests, bytes and messages", function () {
  this.timeout(180_000);

  it("break nothing, change nothing that was not answered with success, and leave a log that can be read", async () => {
    const seed = Math.floor(Math.random() * SEED_END);
    const wish = { seed, requests: REQUESTS, messages: MESSAGES, connections: CONNECTIONS };
    const { answers, problems } = await fuzz({ ...wish, report: () => undefined });
    expect(problems, `seed ${seed}`).to.deep.equal([]);
    // They get somewhere: a fuzzer that only ever hears one refusal tests nothing.
    expect([...answers.keys()]).to.include.members([
      "200",
      "202",
      "400 validation_failed",
      "401 unauthenticated",
    ]);
  });
});
