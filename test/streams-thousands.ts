import { expect } from "chai";
import { buildIfNeeded } from "../tools/stack/build.ts";
import type { Program } from "../tools/stack/programs.ts";
import { orderOf } from "./support/bodies.ts";
import { followOrder, type FollowedStream } from "./support/followed-stream.ts";
import { inParallel, type HttpClient } from "./support/http-client.ts";
import { collectable, residentMb } from "./support/program-memory.ts";
import { openSandbox, type Person, type Sandbox } from "./support/sandbox.ts";
import { inWords, orderSteadily, p99, say } from "./support/steady-orders.ts";
import { until } from "./support/until.ts";

/**
 * Figures, no test of `npm test`: what STREAMS open event streams cost the API in memory, and in the answers to orders.
 *   npm test -- --no-check test/streams-thousands.ts
 */
const STREAMS = Number(process.env["STREAMS"] ?? 5_000);
const ORDERS_PER_S = 200;
const PHASE_S = 30;
const WARM_UP_S = 20;
const AT_ONCE = 50;
const WARM_UP_STREAMS = 200;
const MEMORY_MAX_MB = 60;
/** Of the p99 of orders beside the streams, over that of as many orders to a second process at the same time. */
const P99_TIMES_MAX = 1.5;
const DEADLINE_MS = 120_000;
const MB = 2 ** 20;

describe(`${STREAMS} open event streams`, function () {
  this.timeout(0);
  let sandbox: Sandbox;
  let api: Program;
  let http: HttpClient;
  let memory: ReturnType<typeof collectable>;
  let orderIds: string[];
  let buyers: Person[];
  let crowd: Person[];
  let saleId: number;
  let streams: FollowedStream[] = [];
  let other: Program;

  before(async () => {
    await buildIfNeeded(process.env, () => undefined);
    sandbox = await openSandbox();
    memory = collectable(sandbox.home.path);
    const env = { ...memory.env, EVENT_STREAMS_MAX: String(2 * STREAMS), UNDECIDED_AGE_MAX: "3600" };
    api = await sandbox.start("api", { env, from: "dist" });
    other = await sandbox.start("api", { name: "other-api", env, from: "dist" });
    http = sandbox.client(api);
    buyers = await sandbox.users(STREAMS);
    crowd = await sandbox.users(2 * ORDERS_PER_S * (WARM_UP_S + PHASE_S));
    saleId = (await sandbox.openSale(http, { stock: STREAMS + crowd.length })).id;
    for (const program of [api, other]) await ordersFor(WARM_UP_S, program, true);
    orderIds = await inParallel(
      buyers,
      AT_ONCE,
      async ({ token }) => orderOf(await http.post("/api/orders", { productId: saleId }, token)).orderId,
    );
    // As many at once as will be opened at once: they load the code, and open the connections to the servers.
    const first = await openStreams(buyers.slice(0, WARM_UP_STREAMS));
    for (const stream of first) stream.leave();
  });
  after(() => (sandbox as Sandbox | undefined)?.close());

  it(`cost the API at most ${MEMORY_MAX_MB} MB`, async () => {
    const before = await memory.collect(api.pid);
    const startedAt = performance.now();
    streams = await openStreams(buyers);
    const s = ((performance.now() - startedAt) / 1_000).toFixed(1);
    const grown = residentMb(api.pid);
    const after = await memory.collect(api.pid);
    const held = (after.heapUsed + after.external - before.heapUsed - before.external) / MB;
    say(
      `opened in ${s} s; resident API, each after a collection: ${mb(before.rss)} MB before, ${mb(after.rss)} MB after`,
    );
    say(`with the garbage of their opening: ${grown} MB`);
    say(`held by the heap: ${held.toFixed(1)} MB, ${((held * 1_024) / STREAMS).toFixed(1)} kB a stream`);
    expect(streams.filter((stream) => stream.ended())).to.have.length(0);
    expect((after.rss - before.rss) / MB).to.be.at.most(MEMORY_MAX_MB);
  });

  it("are all heard to be alive", async () => {
    await until(
      "each has had a heartbeat",
      () => streams.every((stream) => stream.beats() > 0),
      DEADLINE_MS,
      100,
    );
  });

  it(`leave orders at ${ORDERS_PER_S} a second as quick as those to a process without streams`, async () => {
    // At the same time: neighbours on the machine are the same for both.
    const [beside, alone] = await Promise.all([ordersFor(PHASE_S, api), ordersFor(PHASE_S, other)]);
    say(
      `resident API after ${PHASE_S} s of orders beside: ${residentMb(api.pid)} MB, the other: ${residentMb(other.pid)} MB`,
    );
    say(`orders to the process with streams: ${inWords(beside)}`);
    say(`orders to the other one:            ${inWords(alone)}`);
    expect(p99(beside)).to.be.at.most(P99_TIMES_MAX * p99(alone));
  });

  it("all hear their end once a worker runs", async () => {
    const worker = await sandbox.start("worker", { from: "dist" });
    const startedAt = performance.now();
    await until("all have ended", () => streams.every((stream) => stream.ended()), DEADLINE_MS);
    say(`all ended ${((performance.now() - startedAt) / 1_000).toFixed(1)} s after the worker was ready`);
    expect(streams.filter(({ heard }) => heard.join() !== "PENDING,SUCCESS")).to.have.length(0);
    expect(streams.flatMap(({ misfits }) => misfits)).to.deep.equal([]);
    await worker.stop();
  });

  const openStreams = (some: readonly Person[]): Promise<FollowedStream[]> =>
    inParallel(some, AT_ONCE, async (buyer, i) => {
      const stream = followOrder(api, orderIds[i] ?? "", buyer);
      await until("PENDING is heard", () => stream.heard.length > 0, DEADLINE_MS, 5);
      return stream;
    });
  const ordersFor = (s: number, program: Program, cold = false): Promise<number[]> =>
    orderSteadily(program === api ? http : sandbox.client(program), {
      productId: saleId,
      buyers: crowd.splice(0, ORDERS_PER_S * s),
      ...{ perS: ORDERS_PER_S, cold },
    });
});

const mb = (bytes: number): string => (bytes / MB).toFixed(0);
