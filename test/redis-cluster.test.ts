import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { Redis } from "ioredis";
import { v7 as uuidv7 } from "uuid";
import { connectRedis, type RedisClient } from "../shared/redis/client.ts";
import { createOrderClaims } from "../shared/redis/order-claims.ts";
import { redisProblem } from "../shared/redis/server-checks.ts";
import { createStockStore } from "../shared/redis/stock-store.ts";
import { sampleProduct } from "../shared/testing/samples.ts";
import { openHome } from "../tools/stack/home.ts";
import { openPorts } from "../tools/stack/ports.ts";
import { until } from "./support/until.ts";

const NODES = ["first", "second", "third"];
const START_DEADLINE_MS = 20_000;
/** Of every Redis Cluster. */
const SLOTS = 16_384;
const PRODUCTS = 9;
const STOCK = 20;
const BUYERS = 300;

describe("a Redis Cluster of three", function () {
  this.timeout(60_000);
  let folder: string;
  let client: RedisClient | undefined;
  let address = "";
  const servers: ChildProcess[] = [];

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "flashpay-cluster-"));
    const ports = openPorts(openHome(folder));
    const nodes: Node[] = [];
    for (const name of NODES) {
      // The default bus port is 10 000 higher, which may be out of range.
      const node = { name, port: await ports.claim(name), busPort: await ports.claim(`${name}-bus`) };
      servers.push(startNode(node, folder));
      nodes.push(node);
    }
    await joinNodes(nodes);
    const url = nodes.map(({ port }) => `redis://127.0.0.1:${port}`).join(",");
    address = url.split(",")[0] ?? "";
    client = await connectRedis({ url, name: "test", onError: () => undefined });
  });
  after(async () => {
    client?.disconnect();
    const running = servers.filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null);
    const ended = running.map((server) => once(server, "exit"));
    for (const server of running) server.kill("SIGKILL");
    await Promise.all(ended);
    rmSync(folder, { recursive: true, force: true });
  });

  it("is not taken for a single Redis, of which one call may hold keys of all slots", async () => {
    if (!client) throw new Error("there is no cluster");
    expect(await redisProblem(client, false)).to.equal(undefined);
    const alone = await connectRedis({ url: address, name: "test", onError: () => undefined });
    try {
      expect(await redisProblem(alone, false)).to.include("part of a cluster");
    } finally {
      alone.disconnect();
    }
  });

  it("sells exactly what there is of products in every slot: the keys of one script share theirs", async () => {
    if (!client) throw new Error("there is no cluster");
    const stock = createStockStore(client);
    const claims = createOrderClaims(client);
    for (let id = 1; id <= PRODUCTS; id += 1) {
      await stock.load({
        product: sampleProduct({ id, stock: STOCK, startTime: 0, endTime: 4e12 }),
        bought: nobody(),
        epoch: 1,
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

interface Node {
  readonly name: string;
  readonly port: number;
  readonly busPort: number;
}

function startNode({ name, port, busPort }: Node, folder: string): ChildProcess {
  const options = {
    port,
    "cluster-port": busPort,
    "cluster-enabled": "yes",
    "cluster-config-file": `${name}.conf`,
  };
  const more = { appendonly: "yes", appenddirname: name, save: "", bind: "127.0.0.1", dir: folder };
  const args = Object.entries({ ...options, ...more }).flatMap(([key, value]) => [`--${key}`, String(value)]);
  return spawn("redis-server", args, { stdio: "ignore" });
}

/** Shares the slots out and introduces the nodes to each other; each step may be done again. */
async function joinNodes(nodes: readonly Node[]): Promise<void> {
  const clients = nodes.map(({ port }) => new Redis(port, "127.0.0.1", { maxRetriesPerRequest: null }));
  for (const client of clients) client.on("error", () => undefined);
  try {
    const share = Math.ceil(SLOTS / nodes.length);
    for (const [i, client] of clients.entries()) {
      await client.call("CLUSTER", "SET-CONFIG-EPOCH", i + 1);
      await client.call("CLUSTER", "ADDSLOTSRANGE", i * share, Math.min((i + 1) * share, SLOTS) - 1);
    }
    const joined = async (client: Redis): Promise<boolean> => {
      const info = String(await client.call("CLUSTER", "INFO"));
      return info.includes("cluster_state:ok") && info.includes(`cluster_known_nodes:${nodes.length}`);
    };
    for (const { port, busPort } of nodes.slice(1))
      await clients[0]?.call("CLUSTER", "MEET", "127.0.0.1", port, busPort);
    const all = async () => (await Promise.all(clients.map(joined))).every(Boolean);
    await until("all nodes know each other and all slots", all, START_DEADLINE_MS);
  } finally {
    for (const client of clients) client.disconnect();
  }
}

async function* nobody(): AsyncIterable<never> {
  yield* [];
}
