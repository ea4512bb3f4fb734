import { randomUUID } from "node:crypto";
import { expect } from "chai";
import type { Sequelize } from "sequelize";
import type { Decision } from "../shared/domain/decide.ts";
import { DomainError } from "../shared/domain/errors.ts";
import type { OrderMessage } from "../shared/domain/order.ts";
import type { DecisionStore } from "../shared/domain/ports.ts";
import { createSequelize } from "../shared/mysql/connection.ts";
import { toSqlInstant } from "../shared/mysql/instant.ts";
import { createFakeDeadLetterTopic, createFakeDecisionNews } from "../shared/testing/fakes.ts";
import { createLogRecorder } from "../shared/testing/log.ts";
import { orderIdOf, rawMessage, SALE_START, sampleOrder, sampleProduct } from "../shared/testing/samples.ts";
import { migrate } from "../tools/stack/migrate.ts";
import { createOrderPlacedHandler } from "../worker/handlers/order-placed.ts";
import { createDecisionStore } from "../worker/repositories/decision-store.ts";
import { openDatabase, type Database } from "./support/database.ts";
import { sharedServers } from "./support/servers.ts";

const STATEMENT_TIMEOUT_MS = 10_000;
/** The least that MySQL can wait. */
const LOCK_WAIT_S = 1;

/** What the database itself must refuse, whatever the code before it believes. */
describe("the database", () => {
  const name = `flashpay_${randomUUID().slice(0, 8)}`;
  let outside: Database;
  let database: Database;
  let sequelize: Sequelize;
  let store: DecisionStore;

  /** Through one connection only. */
  function connect(): Sequelize {
    const { host, port, user, password } = sharedServers().mysql;
    const settings = {
      MYSQL_HOST: host,
      MYSQL_PORT: port,
      MYSQL_USER: user,
      MYSQL_PASSWORD: password,
      MYSQL_DATABASE: name,
      MYSQL_POOL_MAX: 1,
    };
    return createSequelize(settings, STATEMENT_TIMEOUT_MS);
  }

  before(async () => {
    const server = sharedServers().mysql;
    const address = { ...server, database: name };
    outside = openDatabase(server);
    await outside.run("CREATE DATABASE ?? CHARACTER SET utf8mb4", [name]);
    await migrate(address, process.env);
    database = openDatabase(address);
    sequelize = connect();
    // This holds for the connection, so for all that the store does.
    await sequelize.query(`SET SESSION innodb_lock_wait_timeout = ${LOCK_WAIT_S}`);
    store = createDecisionStore(sequelize);
  });
  after(async () => {
    await sequelize.close();
    await database.close();
    await outside.run("DROP DATABASE ??", [name]);
    await outside.close();
  });

  beforeEach(async () => {
    const at = toSqlInstant(SALE_START);
    await database.run("INSERT INTO users (id, username, email, password_hash, role, created_at) VALUES ?", [
      [1, 2].map((id) => [id, `user${id}`, `user${id}@example.com`, "x".repeat(60), "user", at]),
    ]);
    const { title, price, currency, startTime, endTime, perUserLimit } = sampleProduct();
    const window = [toSqlInstant(startTime), toSqlInstant(endTime)];
    await database.run(
      `INSERT INTO products (id, title, price, currency, stock, start_time, end_time, per_user_limit, created_by,
         created_at) VALUES ?`,
      [[[1, title, price, currency, 1, ...window, perUserLimit, 1, at]]],
    );
  });
  afterEach(async () => {
    for (const table of [
      ...["order_history", "settlements", "settlement_totals", "orders"],
      ...["dead_letters", "products", "users"],
    ]) {
      await database.run("DELETE FROM ??", [table]);
    }
  });

  const orderN = (n: number): OrderMessage => sampleOrder({ orderId: orderIdOf(n), userId: n });
  const success = (n: number, changes: Partial<OrderMessage> = {}, amount = 99_000): Decision => ({
    outcome: "SUCCESS",
    order: { ...orderN(n), ...changes },
    amount,
  });
  const write = (...decisions: Decision[]) =>
    store.transaction((writer) => writer.write(decisions, SALE_START));
  const facts = async () => ({
    orders: await database.count("SELECT COUNT(*) FROM orders"),
    settlements: await database.count("SELECT COUNT(*) FROM settlements"),
    counted: await database.count(
      "SELECT COALESCE(SUM(entries), 0) FROM settlement_totals WHERE scope = 'product'",
    ),
    sold: await database.count("SELECT sold FROM products WHERE id = 1"),
  });
  const NOTHING = { orders: 0, settlements: 0, counted: 0, sold: 0 };
  const ONE_SALE = { orders: 1, settlements: 1, counted: 1, sold: 1 };
  const refused = async (work: Promise<unknown>): Promise<unknown> =>
    await work.then(
      () => {
        throw new Error("it was not refused");
      },
      (error: unknown) => error,
    );

  const bad: [string, Decision][] = [
    ["an order of a user who does not exist", success(9)],
    ["an amount beyond every price", success(2, {}, 100_000_000_000_001)],
    ["a quantity that no column holds", success(2, { quantity: 70_000 })],
    ["a currency that no column holds", success(2, { currency: "POINTS" })],
  ];
  for (const [what, decision] of bad) {
    it(`refuses ${what}, and the whole batch with it, rather than drop or bend the row`, async () => {
      const error = await refused(write(success(1), decision));
      expect(error).to.be.instanceOf(DomainError);
      expect((error as DomainError).code).to.equal("validation_failed");
      expect(await facts()).to.deep.equal(NOTHING);
    });
  }

  it("refuses a second settlement of an order", async () => {
    await write(success(1));
    const again = database.run(
      `INSERT INTO settlements (order_id, user_id, product_id, type, amount, currency, settled_at)
       SELECT order_id, user_id, product_id, type, amount, currency, settled_at FROM settlements`,
    );
    expect(await refused(again)).to.have.property("code", "ER_DUP_ENTRY");
    expect(await facts()).to.deep.equal(ONE_SALE);
  });

  it("refuses to count more units as sold than there are", async () => {
    await write(success(1));
    expect(await refused(write(success(2))))
      .to.have.property("message")
      .that.includes("no 1 units left");
    expect(await refused(database.run("UPDATE products SET sold = 2"))).to.be.instanceOf(Error);
    expect(await facts()).to.deep.equal(ONE_SALE);
  });

  it("sells what there is when Redis promised more: the order too many fails, and its units go back", async () => {
    const ended: string[] = [];
    const handle = createOrderPlacedHandler({
      store,
      stock: { settle: async (orders) => void ended.push(...orders.map(({ as }) => as)) },
      deadLetters: createFakeDeadLetterTopic(),
      news: createFakeDecisionNews(),
      log: createLogRecorder(),
      now: () => SALE_START,
      observe: () => undefined,
    });
    await handle([rawMessage(1, orderN(1)), rawMessage(2, orderN(2))], () => true);
    expect(await facts()).to.deep.equal({ ...ONE_SALE, orders: 2 });
    expect(ended).to.deep.equal(["SUCCESS", "FAILED"]);
  });

  it("takes a batch back whole when it waits too long for a row, and takes it whole when the row is free", async () => {
    const holder = connect();
    try {
      const held = await holder.transaction();
      await holder.query(
        "INSERT INTO settlement_totals (scope, scope_id, currency, entries, amount) VALUES ('product', 1, 'KRW', 0, 0)",
        { transaction: held },
      );
      let attempts = 0;
      await store.transaction(async (writer) => {
        attempts += 1;
        if (attempts === 2) await held.rollback();
        await writer.write([success(1)], SALE_START);
      });
      if (attempts === 1) await held.rollback();
      expect(await facts()).to.deep.equal(ONE_SALE);
      expect(attempts).to.equal(2);
    } finally {
      await holder.close();
    }
  });
});
