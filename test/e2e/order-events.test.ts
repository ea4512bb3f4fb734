import { request, type IncomingMessage } from "node:http";
import { expect } from "chai";
import type { Program } from "../../tools/stack/programs.ts";
import { orderOf } from "../support/bodies.ts";
import type { HttpClient } from "../support/http-client.ts";
import { openSandbox, type Person, type Sandbox } from "../support/sandbox.ts";
import { until } from "../support/until.ts";

const HEARD_DEADLINE_MS = 15_000;
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
        return openStream(apis[i % 2 === 0 ? 1 : 0], orderId, buyer);
      }),
    );
    await until("all hear PENDING", () => streams.every(({ heard }) => heard.length > 0), HEARD_DEADLINE_MS);
    expect(streams.every(({ heard }) => heard.join() === "PENDING")).to.equal(true);
    const worker = await sandbox.start("worker");
    await until("all streams have ended", () => streams.every(({ ended }) => ended()), HEARD_DEADLINE_MS);
    expect(streams.filter(({ heard }) => heard.join() !== "PENDING,SUCCESS")).to.deep.equal([]);
    await worker.stop();
  });

  it("tell of a decision whose message was lost: the database is asked all the same", async () => {
    const [buyer] = await sandbox.users(1);
    if (!buyer) throw new Error("no buyer");
    const sale = await sandbox.openSale(http, { stock: 1 });
    const orderId = await place(sale.id, buyer);
    const stream = openStream(apis[1], orderId, buyer);
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
  });

  it("end when the process stops, within its time, and a client that comes back hears the rest", async () => {
    const [buyer] = await sandbox.users(1);
    if (!buyer) throw new Error("no buyer");
    const sale = await sandbox.openSale(http, { stock: 1 });
    const orderId = await place(sale.id, buyer);
    const stream = openStream(apis[1], orderId, buyer);
    await until("PENDING is heard", () => stream.heard.length > 0, HEARD_DEADLINE_MS);
    await apis[1].stop();
    await until("the stream has ended", () => stream.ended(), HEARD_DEADLINE_MS);
    const worker = await sandbox.start("worker");
    const again = openStream(apis[0], orderId, buyer, "PENDING");
    await until("the end is heard", () => again.ended(), HEARD_DEADLINE_MS);
    expect(again.heard).to.deep.equal(["SUCCESS"]);
    await worker.stop();
  });
});

/** Follows an order as an EventSource does; `heard` are the ids of its events. */
function openStream({ url }: Program, orderId: string, { token }: Person, lastEventId?: string) {
  const heard: string[] = [];
  let ended = false;
  let text = "";
  const asking = request(`${url}/api/orders/${orderId}/events`, {
    headers: { Authorization: `Bearer ${token}`, ...(lastEventId && { "Last-Event-ID": lastEventId }) },
  });
  asking.on("response", (response: IncomingMessage) => {
    response.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk;
      heard.splice(0, Infinity, ...[...text.matchAll(/^id: ?(\w+)$/gm)].map(([, id]) => id ?? ""));
    });
    response.on("close", () => (ended = true));
  });
  asking.on("error", () => (ended = true));
  asking.end();
  return { heard, ended: () => ended };
}
