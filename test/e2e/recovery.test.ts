import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { keys } from "../../shared/redis/keys.ts";
import { toSqlInstant } from "../../shared/mysql/instant.ts";
import type { Program } from "../../tools/stack/programs.ts";
import { startServers, type Servers } from "../../tools/stack/servers.ts";
import { settlesWithin } from "../../tools/stack/wait.ts";
import { codeOf, problemOf, saleOf, successOf } from "../support/bodies.ts";
import { createHistory, type History } from "../support/history.ts";
import type { HttpClient } from "../support/http-client.ts";
import { rush } from "../support/rush.ts";
import { broken, openSandbox, type Person, type Sandbox } from "../support/sandbox.ts";
import { asNamed, sharedServers } from "../support/servers.ts";
import { until } from "../support/until.ts";

const BUYERS = 5_000;
const MANY = 1_000_000;
const DOWN_MS = 2_000;
const MYSQL_DOWN_MS = 10_000;
const STOP_MS = 10_000;
/** A killed worker's partitions stand still for 10 s, an order nobody handed over for 6 s. */
const DECIDED_DEADLINE_MS = 45_000;
const LOADED_DEADLINE_MS = 30_000;
const CONNECTIONS = 128;

describe("after a fault", function () {
  this.timeout(120_000);
  let folder: string;
  let servers: Servers;
  let sandbox: Sandbox;
  let http: HttpClient;
  let api: Program;
  let worker: Program;
  let buyers: Person[];

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "flashpay-recovery-"));
    // A MySQL of its own, to be killed; Redis and Kafka are everybody's.
    servers = await startServers({
      home: folder,
      env: { ...process.env, ...asNamed("redis", "kafka") },
      report: () => undefined,
    });
    const { host, port, user, password, database } = servers.mysql;
    sandbox = await openSandbox({ ...sharedServers(), mysql: { host, port, user, password, database } });
    [api, worker, buyers] = await Promise.all([
      sandbox.start("api"),
      sandbox.start("worker"),
      sandbox.users(BUYERS),
    ]);
    http = sandbox.client(api, CONNECTIONS);
  });
  after(async () => {
    await sandbox.close();
    await servers.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const heard = (history: History, calls: number) =>
    until(`${calls} orders are answered`, () => history.of("ok").length >= calls, 30_000, 5);
  /** The fault itself: it lasts this long. */
  const downFor = (ms: number): Promise<boolean> => {
    const since = performance.now();
    return until("the fault is over", () => performance.now() - since >= ms, ms + 5_000);
  };
  const killed = async (program: Program, downMs: number): Promise<void> => {
    program.kill("SIGKILL");
    expect(await program.exited()).to.equal("SIGKILL");
    await downFor(downMs);
    await program.restart();
  };
  const decided = (productId: number, orders: number) =>
    until(
      `${orders} orders of product ${productId} are decided`,
      async () => (await sandbox.rowsOf(productId)).length >= orders && (await sandbox.lag()) === 0,
      DECIDED_DEADLINE_MS,
      100,
    );
  const allWell = async (history: History, productId: number): Promise<void> => {
    const rows = await sandbox.rowsOf(productId);
    expect(history.contradictions(productId, rows)).to.deep.equal([]);
    expect(rows.filter(({ status }) => status !== "SUCCESS")).to.deep.equal([]);
    expect(broken(await sandbox.verify())).to.deep.equal([]);
    expect(await sandbox.database.count("SELECT COUNT(*) FROM dead_letters")).to.equal(0);
  };
  const keyOf = (productId: number) => (buyer: Person) => `recovery-key-${productId}-${buyer.id}`;
  const left = async (productId: number): Promise<number> =>
    saleOf(await http.get(`/api/products/${productId}`)).stockLeft;

  it("kill -9 of the worker: every 202 becomes SUCCESS", async () => {
    const { id } = await sandbox.openSale(http, { stock: MANY });
    const history = createHistory();
    const rushing = rush({ http, history, productId: id, buyers });
    await heard(history, BUYERS / 3);
    await killed(worker, DOWN_MS);
    await rushing;
    expect(history.tally()).to.deep.equal({ accepted: BUYERS });
    await decided(id, BUYERS);
    await allWell(history, id);
  });

  it("kill -9 of the API: every 202 becomes SUCCESS, and who asks again with a key buys once", async () => {
    const { id } = await sandbox.openSale(http, { stock: MANY });
    const history = createHistory();
    const rushing = rush({ http, history, productId: id, buyers, keyOf: keyOf(id), persist: true });
    await heard(history, BUYERS / 3);
    await killed(api, DOWN_MS);
    await rushing;
    expect(history.of("ok")).to.have.length(BUYERS);
    expect(history.tally()["refused connection"]).to.be.greaterThan(0);
    await decided(id, BUYERS);
    expect(await sandbox.rowsOf(id)).to.have.length(BUYERS);
    await allWell(history, id);
    expect(await left(id)).to.equal(MANY - BUYERS);
  });

  it("kill -9 of the API: units of buyers who never come back are not leaked", async () => {
    const { id } = await sandbox.openSale(http, { stock: MANY });
    const history = createHistory();
    const rushing = rush({ http, history, productId: id, buyers: buyers.slice(0, 2_000) });
    await heard(history, 300);
    await killed(api, 0);
    await rushing;
    await until(
      "no reservation is left",
      async () => (await sandbox.redis.hlen(keys.reservations(id))) === 0,
      DECIDED_DEADLINE_MS,
    );
    await allWell(history, id);
    expect(await left(id)).to.equal(MANY - (await sandbox.rowsOf(id)).length);
  });

  describe("counters that are not there", () => {
    const STOCK = 300;
    let lost: number;
    let neverLoaded: number;
    const history = createHistory();

    before(async () => {
      lost = (await sandbox.openSale(http, { stock: STOCK })).id;
      await rush({ http, history, productId: lost, buyers: buyers.slice(0, 100) });
      await sandbox.database.run(
        `INSERT INTO products (title, price, currency, stock, start_time, end_time, per_user_limit, created_by, created_at)
         VALUES ('Its API died', 5000, 'KRW', 10, ?, ?, 1, ?, ?)`,
        [
          toSqlInstant(Date.now() - 1_000),
          toSqlInstant(Date.now() + 3_600_000),
          sandbox.host.id,
          toSqlInstant(Date.now()),
        ],
      );
      neverLoaded = await sandbox.database.count("SELECT MAX(id) FROM products");
    });

    it("shut the sale at once: not_ready, with nothing taken", async () => {
      await sandbox.redis.del(keys.stock(lost));
      for (const productId of [lost, neverLoaded]) {
        const answer = await http.post("/api/orders", { productId }, buyers[200]!.token);
        expect([answer.status, codeOf(answer)], answer.text).to.deep.equal([503, "not_ready"]);
        expect(answer.headers["retry-after"]).to.equal("1");
        expect(problemOf(answer).detail).to.contain("Nothing was taken");
      }
      expect(await sandbox.rowsOf(neverLoaded)).to.deep.equal([]);
    });

    it("are loaded by the worker, for a sale whose API died after its INSERT", async () => {
      await until(
        "the counters are there",
        async () => (await sandbox.redis.exists(keys.stock(neverLoaded))) === 1,
        LOADED_DEADLINE_MS,
      );
      const answer = await http.post("/api/orders", { productId: neverLoaded }, buyers[0]!.token);
      expect(answer.status, answer.text).to.equal(202);
      await decided(neverLoaded, 1);
    });

    it("are loaded again after a loss, and not one unit more is sold", async () => {
      await until(
        "the counters are there",
        async () => (await sandbox.redis.exists(keys.stock(lost))) === 1,
        LOADED_DEADLINE_MS,
      );
      expect(await left(lost)).to.equal(STOCK - 100);
      // The first hundred have theirs: the limit of one is known again, too.
      await rush({ http, history, productId: lost, buyers: buyers.slice(0, 500) });
      await decided(lost, STOCK);
      expect(history.tally()).to.deep.equal({ accepted: STOCK, limit_exceeded: 100, sold_out: 200 });
      await allWell(history, lost);
      expect(await left(lost)).to.equal(0);
    });
  });

  it("MySQL killed for 10 s under intake: orders go on, nothing is parked, all is settled", async () => {
    const { id } = await sandbox.openSale(http, { stock: MANY });
    const history = createHistory();
    const some = buyers.slice(0, 3_000);
    const rushing = rush({ http, history, productId: id, buyers: some, perSecond: 250 });
    await heard(history, 100);
    servers.mysql.kill("SIGKILL");
    expect(await servers.mysql.exited()).to.equal("SIGKILL");
    const before = history.of("ok").length;
    await until("the API says so", async () => (await http.get("/readyz")).status === 503, 5_000);
    const { checks } = successOf(await http.get("/readyz")).data as { checks: Record<string, boolean> };
    expect(checks).to.include({ mysql: false, redis: true });
    await downFor(MYSQL_DOWN_MS);
    expect(history.of("ok").length - before, "orders taken meanwhile").to.be.greaterThan(1_000);
    await servers.mysql.restart();
    await rushing;
    expect(history.tally()).to.deep.equal({ accepted: some.length });
    await decided(id, some.length);
    await allWell(history, id);
  });

  it("SIGTERM: the worker ends with 0 within 10 s, and what it decided is committed", async () => {
    const { id } = await sandbox.openSale(http, { stock: MANY });
    const history = createHistory();
    const rushing = rush({ http, history, productId: id, buyers: buyers.slice(0, 3_000) });
    await until("it is at work", async () => (await sandbox.rowsOf(id)).length > 100, DECIDED_DEADLINE_MS, 5);
    worker.kill("SIGTERM");
    expect(await settlesWithin(worker.exited(), STOP_MS)).to.equal(true);
    expect(await worker.exited()).to.equal("exit code 0");
    await rushing;
    const accepted = history.of("ok").length;
    expect(accepted).to.equal(3_000);
    const open = accepted - (await sandbox.rowsOf(id)).length;
    expect(await sandbox.lag(), "messages behind the committed offsets").to.equal(open);
    await worker.restart();
    await decided(id, accepted);
    await allWell(history, id);
  });

  it("SIGTERM: the API ends with 0 under load, and cuts no request on a kept connection", async () => {
    const { id } = await sandbox.openSale(http, { stock: MANY });
    const some = buyers.slice(0, 2_400);
    const history = createHistory();
    const rushing = rush({ http, history, productId: id, buyers: some, perSecond: 800 });
    await heard(history, some.length / 3);
    api.kill("SIGTERM");
    expect(await settlesWithin(api.exited(), STOP_MS)).to.equal(true);
    expect(await api.exited()).to.equal("exit code 0");
    await rushing;
    expect(history.of("info"), "cut requests").to.deep.equal([]);
    const accepted = history.of("ok").length;
    expect(history.tally()).to.deep.equal({ accepted, "refused connection": some.length - accepted });
    await api.restart();
    await decided(id, accepted);
    await allWell(history, id);
  });
});
