import { expect } from "chai";
import { buildIfNeeded } from "../../tools/stack/build.ts";
import type { Program } from "../../tools/stack/programs.ts";
import { orderOf } from "../support/bodies.ts";
import { followOrder } from "../support/followed-stream.ts";
import { inParallel } from "../support/http-client.ts";
import { collectable } from "../support/program-memory.ts";
import { openSandbox, type Sandbox } from "../support/sandbox.ts";
import { until } from "../support/until.ts";

/** The short form of streams-thousands.ts. */
const STREAMS = 400;
const WARM_UP = 50;
const AT_ONCE = 25;
/** Held by the program's heap for one stream, after a collection; 60 MB for 5 000 are 12 kB, what is not heap included. */
const STREAM_MAX_KB = 8;
const DEADLINE_MS = 30_000;

describe(`${STREAMS} open event streams, on real servers`, function () {
  this.timeout(300_000);
  let sandbox: Sandbox;
  let api: Program;
  let memory: ReturnType<typeof collectable>;
  before(async () => {
    await buildIfNeeded(process.env, () => undefined);
    sandbox = await openSandbox();
    memory = collectable(sandbox.home.path);
    api = await sandbox.start("api", { env: memory.env, from: "dist" });
  });
  after(() => (sandbox as Sandbox | undefined)?.close());

  it(`hold at most ${STREAM_MAX_KB} kB each, are heard to be alive, and all hear their end`, async () => {
    const http = sandbox.client(api);
    const sale = await sandbox.openSale(http, { stock: STREAMS + WARM_UP });
    const orders = await inParallel(await sandbox.users(STREAMS + WARM_UP), AT_ONCE, async (buyer) => ({
      buyer,
      orderId: orderOf(await http.post("/api/orders", { productId: sale.id }, buyer.token)).orderId,
    }));
    const open = (some: typeof orders) =>
      inParallel(some, AT_ONCE, async ({ buyer, orderId }) => {
        const stream = followOrder(api, orderId, buyer);
        await until("PENDING is heard", () => stream.heard.length > 0, DEADLINE_MS, 5);
        return stream;
      });
    const held = async (): Promise<number> => {
      const { heapUsed, external } = await memory.collect(api.pid);
      return (heapUsed + external) / 1_024;
    };
    // What the first streams load, the others have.
    for (const stream of await open(orders.splice(0, WARM_UP))) stream.leave();
    const before = await held();
    const streams = await open(orders);
    const each = ((await held()) - before) / STREAMS;
    expect(each).to.be.at.most(STREAM_MAX_KB);

    await until("each has a heartbeat", () => streams.every((stream) => stream.beats() > 0), DEADLINE_MS);
    const worker = await sandbox.start("worker", { from: "dist" });
    await until("all have ended", () => streams.every((stream) => stream.ended()), DEADLINE_MS);
    expect(streams.filter(({ heard }) => heard.join() !== "PENDING,SUCCESS")).to.have.length(0);
    expect(streams.flatMap(({ misfits }) => misfits)).to.deep.equal([]);
    await worker.stop();
  });
});
