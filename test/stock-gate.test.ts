import { expect } from "chai";
import type { Sequelize } from "sequelize";
import { v7 as uuidv7 } from "uuid";
import { DomainError } from "../shared/domain/errors.ts";
import { createSequelize } from "../shared/mysql/connection.ts";
import { notReadyOnOutage } from "../shared/mysql/errors.ts";
import { createStockEpochs } from "../shared/mysql/repositories/stock-epochs.ts";
import { connectRedis, type RedisClient } from "../shared/redis/client.ts";
import { keys } from "../shared/redis/keys.ts";
import { createStockStore } from "../shared/redis/stock-store.ts";
import { sampleProduct } from "../shared/testing/samples.ts";
import { mysqlSettings } from "../tools/stack/programs.ts";
import { sharedServers } from "./support/servers.ts";
import { until } from "./support/until.ts";

const STATEMENT_TIMEOUT_MS = 300;
const STOCK = 1_000;
let redis: RedisClient;
let sequelize: Sequelize;
let productIds = 7_000_000;

before(async () => {
  const { redisUrl, mysql } = sharedServers();
  redis = await connectRedis({ url: redisUrl, name: "stock-gate", onError: () => undefined });
  const settings = { ...mysqlSettings(mysql), MYSQL_PORT: mysql.port, MYSQL_POOL_MAX: 2 };
  sequelize = createSequelize(settings as Parameters<typeof createSequelize>[0], STATEMENT_TIMEOUT_MS);
});
after(async () => {
  redis.disconnect();
  await sequelize.close();
});

async function opened() {
  productIds += 1;
  const id = productIds;
  const store = createStockStore(redis);
  const product = sampleProduct({ id, stock: STOCK, startTime: 0, endTime: 4e12, perUserLimit: 100 });
  await store.load({ product, bought: nobody(), epoch: 1 });
  const reserve = async (): Promise<string> =>
    (await store.reserve({ orderId: uuidv7(), userId: 1, productId: id, quantity: 1 })).outcome;
  const counters = async () => (await store.counters([id])).get(id);
  const forget = () =>
    redis.del(keys.stock(id), keys.reservations(id), keys.unpublished(id), keys.bought(id));
  return { id, product, store, reserve, counters, forget };
}

describe("counters in Redis", () => {
  it("sell only while somebody vouches for them", async () => {
    const { id, store, reserve, forget } = await opened();
    expect(await reserve()).to.equal("reserved");
    await until("the time is over", async () => (await reserve()) === "unconfirmed", 5_000);
    expect(await store.confirm(id, 1)).to.deep.equal({ outcome: "confirmed", epoch: 2 });
    expect(await reserve()).to.equal("reserved");
    await forget();
  });

  it("answer an order that holds its units whether or not somebody vouches for them", async () => {
    const { id, store, forget, reserve } = await opened();
    const input = { orderId: uuidv7(), userId: 1, productId: id, quantity: 1 };
    const first = await store.reserve(input);
    await until("the time is over", async () => (await reserve()) === "unconfirmed", 5_000);
    expect(await store.reserve(input)).to.deep.equal(first);
    await forget();
  });

  it("that are older than what is known are deleted in the step that finds it", async () => {
    const { id, store, reserve, counters } = await opened();
    expect(await store.confirm(id, 2)).to.deep.equal({ outcome: "rolled_back", epoch: 1 });
    expect(await counters()).to.equal(undefined);
    expect(await reserve()).to.equal("not_loaded");
    expect(await store.confirm(id, 0)).to.deep.equal({ outcome: "not_loaded" });
  });

  it("of a release that knew no epochs count as older than anything", async () => {
    const { id, store, counters } = await opened();
    await redis.hdel(keys.stock(id), "epoch", "until", "held");
    expect(await store.confirm(id, 0)).to.deep.equal({ outcome: "rolled_back", epoch: -1 });
    expect(await counters()).to.equal(undefined);
  });

  it("get units back while they stand where they were seen, whatever is ordered meanwhile, and once", async () => {
    const { id, product, store, reserve, counters, forget } = await opened();
    await redis.hincrby(keys.stock(id), "left", -3);
    const seen = await counters();
    if (!seen) throw new Error("not loaded");
    await reserve();
    expect(await store.mend(product, 3, seen)).to.equal("mended");
    expect(await store.mend(product, 3, seen)).to.equal("moved");
    expect(await counters()).to.deep.include({ left: STOCK - 1, held: 1, epoch: 2 });
    await forget();
  });

  it("get nothing back late, once a unit was sold or somebody vouched for them", async () => {
    const { id, product, store, counters, forget } = await opened();
    const input = { orderId: uuidv7(), userId: 1, productId: id, quantity: 1 };
    await store.reserve(input);
    const seen = await counters();
    if (!seen) throw new Error("not loaded");
    await store.settle([{ order: input, as: "SUCCESS" }]);
    expect(await store.mend(product, 1, seen)).to.equal("moved");
    const later = await counters();
    await store.confirm(id, 0);
    if (!later) throw new Error("not loaded");
    expect(await store.mend(product, 1, later)).to.equal("moved");
    await store.shut(id);
    expect(await store.mend(product, 1, later)).to.equal("moved");
    await forget();
  });
});

describe("an epoch in the database", () => {
  it("is never lowered, whoever notes last", async () => {
    const epochs = createStockEpochs(sequelize);
    const [a, b] = [8_000_001, 8_000_002];
    await epochs.note(new Map([[a, 5]]));
    await Promise.all([
      epochs.note(
        new Map([
          [b, 1],
          [a, 7],
        ]),
      ),
      epochs.note(new Map([[a, 6]])),
    ]);
    expect(await epochs.known([a, b, 8_000_003])).to.deep.equal(
      new Map([
        [a, 7],
        [b, 1],
      ]),
    );
    await sequelize.query("DELETE FROM stock_epochs WHERE product_id IN (8000001, 8000002)");
  });
});

describe("a statement that gets no answer", () => {
  it("fails as an outage after its time, and the next one has a connection that works", async () => {
    const error: unknown = await sequelize
      .query("SELECT SLEEP(5)")
      .catch(notReadyOnOutage)
      .catch((cause: unknown) => cause);
    expect(error).to.be.instanceOf(DomainError);
    expect((error as DomainError).code).to.equal("not_ready");
    const [rows] = await sequelize.query("SELECT 1 AS one");
    expect(rows).to.deep.equal([{ one: 1 }]);
  });

  it("fails so within a transaction, too, which is rolled back", async () => {
    const error: unknown = await sequelize
      .transaction(async (transaction) => {
        await sequelize.query("INSERT INTO stock_epochs VALUES (8000009, 1)", { transaction });
        await sequelize.query("SELECT SLEEP(5)", { transaction });
      })
      .catch((cause: unknown) => cause);
    expect(error).to.be.instanceOf(Error);
    expect(await createStockEpochs(sequelize).known([8_000_009])).to.deep.equal(new Map());
  });
});

async function* nobody(): AsyncIterable<never> {
  yield* [];
}
