import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { v7 as uuidv7 } from "uuid";
import { connectRedis, type RedisClient } from "../shared/redis/client.ts";
import { createRedlock } from "../shared/redis/lock.ts";
import { createOrderClaims } from "../shared/redis/order-claims.ts";
import { createStockStore } from "../shared/redis/stock-store.ts";
import { createLogRecorder } from "../shared/testing/log.ts";
import { sampleProduct } from "../shared/testing/samples.ts";
import { run } from "../tools/stack/command.ts";
import { openHome } from "../tools/stack/home.ts";
import { openPorts } from "../tools/stack/ports.ts";
import { until } from "./support/until.ts";

const NODES = ["first", "second", "third"];
const START_DEADLINE_MS = 20_000;
const PRODUCTS = 9;
const STOCK = 20;
const BUYERS = 300;

describe("a Redis Cluster of three", function () {
  this.timeout(60_000);
  let folder: string;
  let client: RedisClient;
  const servers: ChildProcess[] = [];

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "flashpay-cluster-"));
    const ports = openPorts(openHome(folder));
    const addresses: string[] = [];
    for (const name of NODES) {
      const port = await ports.claim(name);
      // The default bus port is 10 000 higher, which may be out of range.
      const busPort = await ports.claim(`${name}-bus`);
      const options = {
        port,
        "cluster-port": busPort,
        "cluster-enabled": "yes",
        "cluster-config-file": `${name}.conf`,
      };
      const more = { appendonly: "yes", appenddirname: name, save: "", bind: "127.0.0.1", dir: folder };
      const args = Object.entries({ ...options, ...more }).flatMap(([key, value]) => [
        `--${key}`,
        String(value),
      ]);
      servers.push(spawn("redis-server", args, { stdio: "ignore" }));
      addresses.push(`127.0.0.1:${port}`);
    }
    const cli = ["--cluster", "create", ...addresses, "--cluster-yes"];
    await until("the cluster is made", async () => (await run("redis-cli", cli)).ok, START_DEADLINE_MS);
    const url = addresses.map((address) => `redis://${address}`).join(",");
    client = await connectWhenReady(url);
  });
  after(async () => {
    client.disconnect();
    const ended = servers.map((server) => once(server, "exit"));
    for (const server of servers) server.kill("SIGKILL");
    await Promise.all(ended);
    rmSync(folder, { recursive: true, force: true });
  });

  it("sells exactly what there is of products in every slot: the keys of one script share theirs", async () => {
    const log = createLogRecorder();
    const stock = createStockStore(client);
    const claims = createOrderClaims(client, createRedlock(client, log), log);
    for (let id = 1; id <= PRODUCTS; id += 1) {
      await stock.load({
        product: sampleProduct({ id, stock: STOCK, startTime: 0, endTime: 4e12 }),
        bought: nobody(),
      });
    }
    const outcomes = await Promise.all(
      Array.from({ length: BUYERS }, async (_, i) => {
        const [userId, productId, orderId] = [i + 1, (i % PRODUCTS) + 1, uuidv7()];
        const claim = { userId, productId, orderId, key: { value: `key-of-buyer-${i}`, requestHash: "1" } };
        expect((await claims.begin(claim)).outcome).to.equal("claimed");
        const reserved = await stock.reserve({ orderId, userId, productId, quantity: 1 });
        if (reserved.outcome !== "reserved") return reserved.outcome;
        await claims.answer(claim, { kind: "accepted", order: reserved.order });
        await stock.markPublished([reserved.order]);
        await stock.settle([{ order: reserved.order, as: "SUCCESS" }]);
        return "reserved";
      }),
    );
    expect(outcomes.filter((outcome) => outcome === "reserved")).to.have.length(PRODUCTS * STOCK);
    expect(outcomes.filter((outcome) => outcome === "sold_out")).to.have.length(BUYERS - PRODUCTS * STOCK);
    const ids = Array.from({ length: PRODUCTS }, (_, i) => i + 1);
    expect(await stock.left(ids)).to.deep.equal(new Map(ids.map((id) => [id, 0])));
  });
});

/** The nodes agree on who has which slots a moment after the cluster is made. */
async function connectWhenReady(url: string): Promise<RedisClient> {
  let connected: RedisClient | undefined;
  await until(
    "the cluster serves",
    async () => {
      connected = await connectRedis({ url, name: "test", onError: () => undefined }).catch(() => undefined);
      return connected !== undefined;
    },
    START_DEADLINE_MS,
  );
  if (!connected) throw new Error("not connected");
  return connected;
}

async function* nobody(): AsyncIterable<never> {
  yield* [];
}
