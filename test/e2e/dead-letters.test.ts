import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { v7 as uuidv7 } from "uuid";
import type { OrderMessage } from "../../shared/domain/order.ts";
import { TOPICS } from "../../shared/kafka/topics.ts";
import { createSequelize } from "../../shared/mysql/connection.ts";
import { toSqlInstant } from "../../shared/mysql/instant.ts";
import type { Program } from "../../tools/stack/programs.ts";
import { startServers, type Servers } from "../../tools/stack/servers.ts";
import { createTopics } from "../../tools/stack/topics.ts";
import { createDecisionStore } from "../../worker/repositories/decision-store.ts";
import {
  auditOf,
  codeOf,
  cursorOf,
  letterOf,
  lettersOf,
  successOf,
  type AuditBody,
  type LetterBody,
  type SaleBody,
} from "../support/bodies.ts";
import { inParallel, type Answer, type HttpClient } from "../support/http-client.ts";
import { NAUGHTY_STRINGS, percent } from "../support/naughty-strings.ts";
import { broken, openSandbox, type Person, type Sandbox } from "../support/sandbox.ts";
import { seedUsers } from "../support/seed.ts";
import { asNamed, sharedServers } from "../support/servers.ts";
import { takeUnit } from "../support/take-unit.ts";
import { until } from "../support/until.ts";

const LETTERS = "/api/admin/dead-letters";
const ADMINS = 20;
const RACES = 10;
const DECIDED_DEADLINE_MS = 30_000;
const HOUR_MS = 3_600_000;
/** Far behind what this topic will ever hold: a seeded letter's place is nobody else's. */
let nextOffset = 900_000_000;

interface Seed {
  readonly value?: string | Buffer | null;
  readonly key?: string | null;
  readonly orderId?: string;
  readonly partition?: number;
  readonly status?: LetterBody["status"];
  readonly parkedAt?: number;
}

/** A letter straight into the table, as the worker parks it. */
async function seedLetter({ database }: Sandbox, seed: Seed = {}): Promise<number> {
  const { value = "no JSON", key = null, orderId = null, partition = 0, status = "parked" } = seed;
  const offset = (nextOffset += 1);
  const at = toSqlInstant(seed.parkedAt ?? Date.now());
  const bytes = (content: string | Buffer | null) => content && Buffer.from(content);
  await database.run(
    `INSERT INTO dead_letters (topic, partition_no, offset_no, order_id, message_key, message_value, error, parked_at,
       status, handled_at) VALUES ?`,
    [
      [
        [
          ...[TOPICS.orders, partition, offset, orderId, bytes(key), bytes(value), "seeded", at, status],
          status === "parked" ? null : at,
        ],
      ],
    ],
  );
  return await database.count(
    "SELECT id FROM dead_letters WHERE topic = ? AND partition_no = ? AND offset_no = ?",
    [TOPICS.orders, partition, offset],
  );
}

/** A unit of a buyer who is new. */
async function reserve(sandbox: Sandbox, sale: SaleBody): Promise<{ order: OrderMessage; value: string }> {
  const [buyer] = await sandbox.users(1);
  return await takeUnit(sandbox.redis, sale.id, buyer?.id ?? 0);
}

describe("dead letters", function () {
  this.timeout(90_000);
  let sandbox: Sandbox;
  let worker: Program;
  let clients: HttpClient[];
  let http: HttpClient;
  let token: string;
  let admins: Person[];
  let sale: SaleBody;

  before(async () => {
    sandbox = await openSandbox();
    const [first, second] = await Promise.all([
      sandbox.start("api"),
      sandbox.start("api", { name: "api-2" }),
      sandbox.start("worker").then((started) => (worker = started)),
    ]);
    clients = [sandbox.client(first), sandbox.client(second)];
    http = clients[0]!;
    token = sandbox.host.token;
    admins = await seedUsers(sandbox.database, sandbox.jwtSecret, ADMINS, "admin");
    sale = await sandbox.openSale(http, { stock: 100 });
  });
  after(() => (sandbox as Sandbox | undefined)?.close());

  const replay = (id: number, as = token, by = http) => by.post(`${LETTERS}/${id}/replay`, {}, as);
  const discard = (id: number, reason = "a test producer", as = token, by = http) =>
    by.post(`${LETTERS}/${id}/discard`, { reason }, as);
  const inspect = async (id: number) => letterOf(await http.get(`${LETTERS}/${id}`, token));
  const nothingOpen = () =>
    until("everything is decided", async () => (await sandbox.lag()) === 0, DECIDED_DEADLINE_MS, 50);
  const produced = async () =>
    (await sandbox.admin.fetchTopicOffsets(TOPICS.orders)).reduce((sum, { high }) => sum + Number(high), 0);
  const letterCount = () => sandbox.database.count("SELECT COUNT(*) FROM dead_letters");
  const rowOf = async (orderId: string) =>
    (await sandbox.rowsOf(sale.id))
      .filter(({ id }) => id === orderId)
      .map((row) => [row.status, row.fail_reason]);

  /** Every row of a list, page by page. */
  async function walk<Row>(path: string, read: (answer: Answer) => Row[], limit: number): Promise<Row[]> {
    const rows: Row[] = [];
    for (let cursor: string | null = ""; cursor !== null;) {
      const answer: Answer = await http.get(`${path}&limit=${limit}${cursor && `&cursor=${cursor}`}`, token);
      expect(answer.status, answer.text).to.equal(200);
      expect(read(answer).length).to.be.at.most(limit);
      rows.push(...read(answer));
      cursor = cursorOf(answer);
    }
    return rows;
  }

  describe("in the list", () => {
    const named = uuidv7();
    const seeds: readonly Seed[] = [
      { partition: 40 },
      { partition: 41, status: "replayed" },
      { partition: 40, orderId: named },
      { partition: 41, orderId: named, status: "discarded" },
      { partition: 40, status: "discarded" },
      { partition: 41, value: null },
      { partition: 40, value: "한글", status: "replayed" },
    ];
    let ids: number[];
    before(async () => {
      ids = [];
      for (const seed of seeds) ids.push(await seedLetter(sandbox, seed));
    });

    const filters: readonly [string, (seed: Seed) => boolean][] = [
      ["status=parked", ({ status }) => status === undefined],
      ["status=replayed", ({ status }) => status === "replayed"],
      ["status=discarded", ({ status }) => status === "discarded"],
      ["partition=40", ({ partition }) => partition === 40],
      ["partition=41&status=discarded", (seed) => seed.partition === 41 && seed.status === "discarded"],
      [`orderId=${named}`, ({ orderId }) => orderId === named],
      [`orderId=${named}&status=parked`, (seed) => seed.orderId === named && seed.status === undefined],
      [`orderId=${named}&partition=42`, () => false],
    ];
    for (const [query, wanted] of filters) {
      it(`are those of ?${query.replace(named, "…")}, newest first, each once, in pages of any size`, async () => {
        const expected = ids.filter((_id, i) => wanted(seeds[i]!)).reverse();
        for (const limit of [1, 2, 100]) {
          const rows = await walk(`${LETTERS}?${query}`, lettersOf, limit);
          expect(rows.map(({ id }) => id).filter((id) => ids.includes(id))).to.deep.equal(expected);
          expect(rows.map(({ id }) => id)).to.deep.equal(rows.map(({ id }) => id).sort((a, b) => b - a));
        }
      });
    }

    it("come without their bytes, and with their size", async () => {
      const [letter] = lettersOf(await http.get(`${LETTERS}?partition=40&limit=1`, token));
      expect(letter).to.include({ id: ids[6], size: 6, status: "replayed", error: "seeded", orderId: null });
      expect(letter).to.not.have.any.keys("key", "value");
    });

    it("are named by no other filter, page or status than there is", async () => {
      for (const query of [
        "status=lost",
        "orderId=7",
        "partition=-1",
        "limit=0",
        "cursor=x",
        "sort=id",
        "status=",
      ])
        expect(codeOf(await http.get(`${LETTERS}?${query}`, token)), query).to.equal("validation_failed");
    });
  });

  describe("one by one", () => {
    it("show key and value as text where they are text, else in base64", async () => {
      const text = await inspect(await seedLetter(sandbox, { key: "k", value: '{"v":"한글"}' }));
      expect(text.key).to.deep.equal({ encoding: "utf8", content: "k" });
      expect(text.value).to.deep.equal({ encoding: "utf8", content: '{"v":"한글"}' });
      const bytes = Buffer.from([0xff, 0xfe, 0x00]);
      const other = await inspect(await seedLetter(sandbox, { value: bytes }));
      expect(other.value).to.deep.equal({ encoding: "base64", content: bytes.toString("base64") });
      expect([other.key, other.orderStatus, other.audit]).to.deep.equal([null, null, []]);
    });

    it("are for administrators, who must know their number and the method", async () => {
      const id = await seedLetter(sandbox);
      const [buyer] = await sandbox.users(1);
      const paths = [LETTERS, `${LETTERS}/${id}`, "/api/admin/audit"];
      for (const path of paths) {
        expect(codeOf(await http.get(path)), path).to.equal("unauthenticated");
        expect(codeOf(await http.get(path, buyer!.token)), path).to.equal("forbidden");
        const wrong = await http.send("DELETE", path, { token });
        expect([wrong.status, wrong.headers.allow], path).to.deep.equal([405, "GET, HEAD, OPTIONS"]);
      }
      for (const act of [replay, (one: number, as?: string) => discard(one, "because", as)]) {
        expect(codeOf(await act(id, buyer!.token))).to.equal("forbidden");
        expect(codeOf(await act(999_999_999))).to.equal("not_found");
      }
      expect(codeOf(await http.post(`${LETTERS}/${id}/replay`, {}))).to.equal("unauthenticated");
      expect(codeOf(await http.get(`${LETTERS}/999999999`, token))).to.equal("not_found");
      expect(codeOf(await http.get(`${LETTERS}/0x10`, token))).to.equal("validation_failed");
      expect(await inspect(id)).to.deep.include({ status: "parked", audit: [] });
    });
  });

  describe("that are replayed", () => {
    it(`by ${ADMINS} administrators at two processes at once: one order, one settlement, and the trail says who was first`, async () => {
      const { order, value } = await reserve(sandbox, sale);
      const id = await seedLetter(sandbox, { key: order.orderId, value, orderId: order.orderId });
      const before = await produced();
      const answers = await Promise.all(
        admins.map((admin, i) => replay(id, admin.token, clients[i % clients.length])),
      );
      const codes = answers.map(codeOf);
      expect(codes.filter((code) => code === "status 202")).to.have.lengthOf(1);
      expect(codes.filter((code) => code === "dead_letter_handled")).to.have.lengthOf(ADMINS - 1);
      expect(answers.filter(({ status }) => status === 409)).to.have.lengthOf(ADMINS - 1);
      const winner = codes.indexOf("status 202");
      expect(successOf(answers[winner]!).data).to.include({
        ...{ id, status: "replayed", orderId: order.orderId, orderStatusBefore: null },
      });
      await until("it is decided", async () => (await rowOf(order.orderId)).length > 0, DECIDED_DEADLINE_MS);
      await nothingOpen();

      expect((await produced()) - before, "messages in the topic").to.equal(1);
      expect(await rowOf(order.orderId)).to.deep.equal([["SUCCESS", null]]);
      const settled = "SELECT COUNT(*) FROM settlements WHERE order_id = ?";
      expect(await sandbox.database.count(settled, [order.orderId])).to.equal(1);
      const { audit, orderStatus, status } = await inspect(id);
      expect([status, orderStatus]).to.deep.equal(["replayed", "SUCCESS"]);
      expect(audit).to.have.lengthOf(ADMINS);
      expect(audit.filter(({ outcome }) => outcome === "came_second")).to.have.lengthOf(ADMINS - 1);
      const done = audit.filter(({ outcome }) => outcome === "done");
      expect(
        done.map(({ admin, before: was, after }) => [admin.id, was["status"], after["status"]]),
      ).to.deep.equal([[admins[winner]!.id, "parked", "replayed"]]);
      expect(audit.map(({ admin }) => admin.id)).to.have.members(admins.map((admin) => admin.id));
      expect(broken(await sandbox.verify())).to.deep.equal([]);
    });

    it("and cannot be read still: their order stays FAILED, and they are parked anew", async () => {
      const { order } = await reserve(sandbox, sale);
      const value = JSON.stringify({ ...order, quantity: -1 });
      await sandbox.producer.send({
        topic: TOPICS.orders,
        acks: -1,
        messages: [{ key: order.orderId, value }],
      });
      await until("it has failed", async () => (await rowOf(order.orderId)).length > 0, DECIDED_DEADLINE_MS);
      await nothingOpen();
      const path = `${LETTERS}?orderId=${order.orderId}`;
      const [letter] = lettersOf(await http.get(path, token));
      const answer = await replay(letter!.id);
      expect(successOf(answer).data).to.include({ orderStatusBefore: "FAILED" });
      await until(
        "it is parked anew",
        async () => lettersOf(await http.get(path, token)).length === 2,
        10_000,
      );
      await nothingOpen();
      expect(lettersOf(await http.get(path, token)).map(({ status }) => status)).to.deep.equal([
        ...["parked", "replayed"],
      ]);
      expect(await rowOf(order.orderId)).to.deep.equal([["FAILED", "invalid_message"]]);
      expect(broken(await sandbox.verify())).to.deep.equal([]);
    });

    it("though their order has FAILED for another price: they change nothing, and name that order", async () => {
      const { order } = await reserve(sandbox, sale);
      const value = JSON.stringify({ ...order, unitPrice: 1 });
      await sandbox.producer.send({
        topic: TOPICS.orders,
        acks: -1,
        messages: [{ key: order.orderId, value }],
      });
      await until("it has failed", async () => (await rowOf(order.orderId)).length > 0, DECIDED_DEADLINE_MS);
      const [letter] = lettersOf(await http.get(`${LETTERS}?orderId=${order.orderId}`, token));
      const [before, lettersBefore] = [await produced(), await letterCount()];
      expect((await replay(letter!.id)).status).to.equal(202);
      await nothingOpen();
      expect([(await produced()) - before, await letterCount()]).to.deep.equal([1, lettersBefore]);
      expect(await rowOf(order.orderId)).to.deep.equal([["FAILED", "price_mismatch"]]);
      expect(broken(await sandbox.verify())).to.deep.equal([]);
    });

    it("stay replayed when a redelivery parks them again", async () => {
      const { order, value } = await reserve(sandbox, sale);
      const id = await seedLetter(sandbox, { key: order.orderId, value, orderId: order.orderId });
      await replay(id);
      await nothingOpen();
      const { partition, offset } = await inspect(id);
      const { MYSQL_HOST, MYSQL_PORT, MYSQL_USER, MYSQL_PASSWORD, MYSQL_DATABASE } = sandbox.settings();
      const sequelize = createSequelize(
        {
          ...{ MYSQL_HOST: MYSQL_HOST!, MYSQL_PORT: Number(MYSQL_PORT), MYSQL_USER: MYSQL_USER! },
          ...{ MYSQL_PASSWORD: MYSQL_PASSWORD!, MYSQL_DATABASE: MYSQL_DATABASE!, MYSQL_POOL_MAX: 2 },
        },
        DECIDED_DEADLINE_MS,
      );
      const before = await inspect(id);
      try {
        const place = { topic: TOPICS.orders, partition, offset: String(offset), timestamp: 0 };
        const message = { ...place, key: null, value: Buffer.from(value) };
        await createDecisionStore(sequelize).transaction((writer) =>
          writer.park([{ message, error: "again" }], Date.now()),
        );
      } finally {
        await sequelize.close();
      }
      expect(await inspect(id)).to.deep.equal(before);
    });
  });

  describe("that are discarded", () => {
    it("need a reason of 3 to 500 characters, and nothing else", async () => {
      const id = await seedLetter(sandbox);
      const bodies = [{}, { reason: "" }, { reason: " ab " }, { reason: "x".repeat(501) }, { reason: 7 }];
      for (const body of [...bodies, { reason: "a\nb c" }, { reason: "because", status: "replayed" }])
        expect(codeOf(await http.post(`${LETTERS}/${id}/discard`, body, token))).to.equal(
          "validation_failed",
        );
      expect(await inspect(id)).to.deep.include({ status: "parked", audit: [] });
      const longest = "이".repeat(500);
      const answer = await discard(id, longest);
      expect(answer.status, answer.text).to.equal(200);
      expect(successOf(answer).data).to.include({ id, status: "discarded" });
      const { status, audit } = await inspect(id);
      expect(status).to.equal("discarded");
      expect(audit.map((entry) => [entry.outcome, entry.reason, entry.admin.id])).to.deep.equal([
        ["done", longest, sandbox.host.id],
      ]);
    });

    /** Some of them are numbers, hence partitions. */
    const FINE = ["validation_failed", "status 200"];
    it("for a naughty reason keep it to the letter, or refuse it; naughty filters break nothing", async () => {
      await inParallel(NAUGHTY_STRINGS, 8, async (text) => {
        const id = await seedLetter(sandbox);
        const answer = await discard(id, text);
        const asked = JSON.stringify(text);
        if (answer.status === 200) expect((await inspect(id)).audit[0]?.reason, asked).to.equal(text.trim());
        else expect(codeOf(answer), asked).to.equal("validation_failed");
        for (const path of [`${LETTERS}?orderId=`, `${LETTERS}?partition=`, "/api/admin/audit?target="])
          expect(codeOf(await http.get(`${path}${percent(text)}`, token)), asked).to.be.oneOf(FINE);
      });
    });

    it("while somebody replays them: one of the two wins, and the log has what the winner said", async () => {
      const { order, value } = await reserve(sandbox, sale);
      await sandbox.producer.send({ topic: TOPICS.orders, messages: [{ key: order.orderId, value }] });
      await nothingOpen();
      const before = await produced();
      const won: string[] = [];
      for (let race = 0; race < RACES; race += 1) {
        const id = await seedLetter(sandbox, { key: order.orderId, value, orderId: order.orderId });
        const codes = (await Promise.all([replay(id), discard(id, "too late", token, clients[1])])).map(
          codeOf,
        );
        expect(codes.filter((code) => code === "dead_letter_handled")).to.have.lengthOf(1);
        const { status, audit } = await inspect(id);
        expect(status).to.equal(codes[0] === "status 202" ? "replayed" : "discarded");
        expect(audit.map(({ outcome }) => outcome)).to.deep.equal(["came_second", "done"]);
        won.push(status);
      }
      expect((await produced()) - before).to.equal(won.filter((status) => status === "replayed").length);
      await nothingOpen();
      expect(await rowOf(order.orderId)).to.deep.equal([["SUCCESS", null]]);
    });
  });

  it("leave an audit trail that can be read as a whole and by target, newest first", async () => {
    const id = await seedLetter(sandbox);
    await discard(id);
    await Promise.all(admins.slice(0, 4).map((admin) => discard(id, "me too", admin.token)));
    const target = `dead_letter:${id}`;
    for (const limit of [2, 100]) {
      const entries: AuditBody[] = await walk(`/api/admin/audit?target=${target}`, auditOf, limit);
      expect(entries.map((entry) => entry.outcome)).to.deep.equal([
        ...Array<string>(4).fill("came_second"),
        "done",
      ]);
      expect(entries.every((entry) => entry.target === target)).to.equal(true);
    }
    const all = auditOf(await http.get("/api/admin/audit?limit=3", token));
    expect(all.map((entry) => entry.target)).to.deep.equal([target, target, target]);
    for (const query of ["target=x", "target=dead_letter:1%20OR%201", "action=x", "limit=101"])
      expect(codeOf(await http.get(`/api/admin/audit?${query}`, token)), query).to.equal("validation_failed");
  });

  it("that nobody has handled are counted by the worker, and the oldest is dated", async () => {
    const id = await seedLetter(sandbox, { parkedAt: Date.now() - HOUR_MS });
    const read = async (): Promise<[number, number]> => {
      const { text } = await sandbox.client(worker).get("/metrics");
      const of = (name: string) => Number(new RegExp(`^${name}\\S* (\\S+)$`, "m").exec(text)?.[1]);
      return [of("flashpay_dead_letters"), of("flashpay_dead_letter_oldest_seconds")];
    };
    const parked = () => sandbox.database.count("SELECT COUNT(*) FROM dead_letters WHERE status = 'parked'");
    const [depth, age] = await read();
    expect(depth).to.equal(await parked());
    expect(age).to.be.within(HOUR_MS / 1_000, HOUR_MS / 1_000 + 60);
    await discard(id);
    const [depthAfter, ageAfter] = await read();
    expect(depthAfter).to.equal(depth - 1);
    expect(ageAfter).to.be.below(HOUR_MS / 1_000);
  });
});

describe("a dead letter while Kafka does not answer", function () {
  this.timeout(120_000);
  let folder: string;
  let servers: Servers;
  let sandbox: Sandbox;
  let http: HttpClient;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "flashpay-letters-"));
    // A Kafka of its own, to be frozen; MySQL and Redis are everybody's.
    servers = await startServers({
      home: folder,
      env: { ...process.env, ...asNamed("mysql", "redis") },
      report: () => undefined,
    });
    await createTopics(servers.kafka.brokers, 1);
    sandbox = await openSandbox({ ...sharedServers(), kafkaBrokers: servers.kafka.brokers });
    http = sandbox.client(await sandbox.start("api", { env: { PRODUCE_TIMEOUT_MS: "500" } }));
  });
  after(async () => {
    await (sandbox as Sandbox | undefined)?.close();
    await (servers as Servers | undefined)?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it("stays parked, each try is audited as failed in bounded time, and can be replayed when Kafka is back", async () => {
    const { token } = sandbox.host;
    const id = await seedLetter(sandbox);
    const replay = () => http.post(`${LETTERS}/${id}/replay`, {}, token);
    servers.kafka.kill("SIGSTOP");
    try {
      // One waits for its time-out; those who queue behind it do not wait for theirs as well.
      const answers = await Promise.all(Array.from({ length: 5 }, replay));
      expect(answers.map(codeOf)).to.deep.equal(Array<string>(5).fill("outcome_unknown"));
      expect(Math.max(...answers.map(({ ms }) => ms))).to.be.below(5_000);
    } finally {
      servers.kafka.kill("SIGCONT");
    }
    const { status, audit } = letterOf(await http.get(`${LETTERS}/${id}`, token));
    expect(status).to.equal("parked");
    expect(audit.map(({ outcome, after }) => [outcome, after["status"]])).to.deep.equal(
      Array.from({ length: 5 }, () => ["failed", "parked"]),
    );
    await until("it can be replayed", async () => (await replay()).status === 202, 30_000, 250);
    expect(letterOf(await http.get(`${LETTERS}/${id}`, token)).status).to.equal("replayed");
  });
});
