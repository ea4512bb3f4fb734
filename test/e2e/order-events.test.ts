import { expect } from "chai";
import type { Program } from "../../tools/stack/programs.ts";
import { orderOf, type OrderBody } from "../support/bodies.ts";
import { followOrder } from "../support/followed-stream.ts";
import type { HttpClient } from "../support/http-client.ts";
import { openSandbox, type Person, type Sandbox } from "../support/sandbox.ts";
import { until } from "../support/until.ts";

const HEARD_DEADLINE_MS = 15_000;
/** From the decision to its event, when its message was lost (issue: the database is the truth). */
const FOUND_WITHIN_MS = 2_000;
const FOLLOWERS = 60;

describe("the events of an order, on real servers", function () {
  this.timeout(90_000);
  let sandbox: Sandbox;
  let apis: [Program, Program];
  let http: HttpClient;

  before(async () => {
    sandbox = await openSandbox();
    const env = { EVENT_STREAMS_PER_USER: "2" };
    apis = await Promise.all([
      sandbox.start("api", { env }),
      sandbox.start("api", { name: "second-api", env }),
    ]);
    http = sandbox.client(apis[0]);
  });
  after(() => (sandbox as Sandbox | undefined)?.close());

  const place = async (productId: number, { token }: Person): Promise<string> =>
    orderOf(await http.post("/api/orders", { productId }, token)).orderId;

  it("tell followers on another process than the order's of its end, once the worker has decided it", async () => {
    const buyers = await sandbox.users(FOLLOWERS);
    const sale = await sandbox.openSale(http, { stock: FOLLOWERS });
    const streams = await Promise.all(
      buyers.map(async (buyer, i) => {
        const orderId = await place(sale.id, buyer);
        return followOrder(apis[i % 2 === 0 ? 1 : 0], orderId, buyer);
      }),
    );
    await until("all hear PENDING", () => streams.every(({ heard }) => heard.length > 0), HEARD_DEADLINE_MS);
    expect(streams.every(({ heard }) => heard.join() === "PENDING")).to.equal(true);
    const worker = await sandbox.start("worker");
    await until("all streams have ended", () => streams.every(({ ended }) => ended()), HEARD_DEADLINE_MS);
    expect(streams.filter(({ heard }) => heard.join() !== "PENDING,SUCCESS")).to.deep.equal([]);
    expect(streams.flatMap(({ misfits }) => misfits)).to.deep.equal([]);
    await worker.stop();
  });

  it(`tell within ${FOUND_WITHIN_MS / 1_000} s of a decision whose message was lost: the database is asked all the same`, async () => {
    const [buyer] = await sandbox.users(1);
    if (!buyer) throw new Error("no buyer");
    const sale = await sandbox.openSale(http, { stock: 1 });
    const orderId = await place(sale.id, buyer);
    const stream = followOrder(apis[1], orderId, buyer);
    await until("PENDING is heard", () => stream.heard.length > 0, HEARD_DEADLINE_MS);
    // Whoever listens is cut off, and what is published meanwhile is gone.
    await sandbox.redis.call("ACL", "SETUSER", "default", "resetchannels");
    try {
      await sandbox.redis.call("CLIENT", "KILL", "TYPE", "pubsub");
      const worker = await sandbox.start("worker");
      await until("the end is heard", () => stream.ended(), HEARD_DEADLINE_MS);
      await worker.stop();
    } finally {
      await sandbox.redis.call("ACL", "SETUSER", "default", "allchannels");
    }
    expect(stream.heard).to.deep.equal(["PENDING", "SUCCESS"]);
    expect(stream.misfits).to.deep.equal([]);
    const { data, at } = stream.last();
    const { decidedAt } = JSON.parse(data) as OrderBody;
    expect(at - Date.parse(String(decidedAt))).to.be.within(0, FOUND_WITHIN_MS);
  });

  it("end when the process stops, within its time, and a client that comes back hears the rest", async () => {
    const [buyer] = await sandbox.users(1);
    if (!buyer) throw new Error("no buyer");
    const sale = await sandbox.openSale(http, { stock: 1 });
    const orderId = await place(sale.id, buyer);
    const stream = followOrder(apis[1], orderId, buyer);
    await until("PENDING is heard", () => stream.heard.length > 0, HEARD_DEADLINE_MS);
    await apis[1].stop();
    await until("the stream has ended", () => stream.ended(), HEARD_DEADLINE_MS);
    const worker = await sandbox.start("worker");
    const again = followOrder(apis[0], orderId, buyer, "PENDING");
    await until("the end is heard", () => again.ended(), HEARD_DEADLINE_MS);
    expect(again.heard).to.deep.equal(["SUCCESS"]);
    await worker.stop();
  });
});
