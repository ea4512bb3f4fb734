import { once } from "node:events";
import { request, type IncomingMessage } from "node:http";
import { expect } from "chai";
import type { Program } from "../tools/stack/programs.ts";
import { seedLedger } from "./support/ledger.ts";
import { collectable } from "./support/program-memory.ts";
import { openSandbox, type Sandbox } from "./support/sandbox.ts";

/** The short form of report-millions.ts. */
const ORDERS = 40_000;
/** A row is about 98 bytes of CSV. */
const BYTES = ORDERS * 98;
/** Places in the file at which the program's memory is collected and read, half of them in either half. */
const PLACES = [0.1, 0.2, 0.3, 0.7, 0.8, 0.9];
/**
 * From the least held in one half to the least held in the other: what a moment's answers hold comes and goes. 24 000 rows
 * kept would be above 4 MB.
 */
const GROWTH_MAX_MB = 2;
const MB = 2 ** 20;

describe(`an export of ${ORDERS} settlements`, function () {
  this.timeout(90_000);
  let sandbox: Sandbox;
  let api: Program;
  let memory: ReturnType<typeof collectable>;

  before(async () => {
    sandbox = await openSandbox();
    await seedLedger(sandbox.mysql, sandbox.redis, { products: 3, users: ORDERS / 4, orders: ORDERS });
    memory = collectable(sandbox.home.path);
    api = await sandbox.start("api", { env: memory.env });
  });
  after(() => (sandbox as Sandbox | undefined)?.close());

  it("holds no more of the program's memory for its second half than for its first", async () => {
    const asking = request(`${api.url}/api/settlements/export`, {
      headers: { Authorization: `Bearer ${sandbox.host.token}` },
    }).end();
    const [answer] = (await once(asking, "response")) as [IncomingMessage];
    const places = PLACES.map((part) => part * BYTES);
    const held: number[] = [];
    let bytes = 0;
    for await (const piece of answer as AsyncIterable<Buffer>) {
      bytes += piece.length;
      if (bytes < (places[held.length] ?? Infinity)) continue;
      const { heapUsed, external } = await memory.collect(api.pid);
      held.push((heapUsed + external) / MB);
    }
    expect(bytes, "bytes of the file").to.be.within(0.8 * BYTES, 1.5 * BYTES);
    expect(held).to.have.length(PLACES.length);
    const half = PLACES.length / 2;
    const growth = Math.min(...held.slice(half)) - Math.min(...held.slice(0, half));
    expect(growth, held.join(", ")).to.be.at.most(GROWTH_MAX_MB);
  });
});
