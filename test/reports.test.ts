import { createHash } from "node:crypto";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { request, type IncomingMessage } from "node:http";
import { join } from "node:path";
import { expect } from "chai";
import parse from "csv-parse/lib/sync.js";
import mysql from "mysql2/promise";
import { toSqlInstant } from "../shared/mysql/instant.ts";
import { startOfDay } from "../shared/domain/time-zone.ts";
import { REPORTS_AT_ONCE_MAX } from "../api/services/report-service.ts";
import type { Program } from "../tools/stack/programs.ts";
import type { Answer, HttpClient } from "./support/http-client.ts";
import { openDatabase, type Database } from "./support/database.ts";
import { seedLedger } from "./support/ledger.ts";
import { runScript } from "./support/program-run.ts";
import { openSandbox, type Sandbox } from "./support/sandbox.ts";
import { mysqlRoot } from "./support/servers.ts";
import { until } from "./support/until.ts";

const PRODUCTS = 5;
/** 20 MB as a file: more than the sockets on the way take in while nobody reads. */
const ORDERS = 200_000;
const ZONE = "America/New_York";
/** Settlements lie a minute apart, from here on, over a change of clocks (8 March 2026 in ZONE). */
const FIRST = Date.parse("2026-02-20T00:00:00.000Z");
const DEADLINE_MS = 20_000;
/** InnoDB makes its list of transactions anew when nobody has read it for 100 ms, not before. */
const LIST_POLL_MS = 200;
const SPREAD = `UPDATE settlements SET settled_at = TIMESTAMPADD(MINUTE, id - (SELECT m FROM (SELECT MIN(id) m FROM settlements) x), ?)`;

interface Sheet {
  readonly count: number;
  readonly firstId: number | null;
  readonly lastId: number | null;
  readonly totals: readonly { currency: string; count: number; amount: number }[];
  readonly bytes: number;
  readonly sha256: string;
}

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");
const rowsIn = (csv: string): Record<string, string>[] =>
  parse(csv, { columns: true }) as Record<string, string>[];

describe("settlement reports", function () {
  this.timeout(120_000);
  let sandbox: Sandbox;
  let api: Program;
  let http: HttpClient;
  let token: string;
  /** Answers that nobody may have read to their end. */
  const begun: IncomingMessage[] = [];
  /** Sees what other accounts run. */
  let root: Database;

  before(async () => {
    sandbox = await openSandbox();
    await seedLedger(sandbox.mysql, sandbox.redis, { products: PRODUCTS, users: 200, orders: ORDERS });
    const { database } = sandbox;
    await database.run(SPREAD, [toSqlInstant(FIRST)]);
    await database.run("UPDATE settlements SET currency = 'USD' WHERE id % 7 = 0");
    await database.run("DELETE FROM settlement_totals");
    for (const scope of ["product", "user"])
      await database.run(
        `INSERT INTO settlement_totals SELECT ?, ${scope}_id, currency, COUNT(*), SUM(amount) FROM settlements GROUP BY ${scope}_id, currency`,
        [scope],
      );
    await database.run("UPDATE products SET title = '=HYPERLINK(\"http://evil.example\")' WHERE id = 1");
    root = openDatabase({ ...mysqlRoot(), database: sandbox.mysql.database });
    api = await sandbox.start("api", { env: { REPORT_TIME_ZONE: ZONE } });
    http = sandbox.client(api);
    token = sandbox.host.token;
  });
  after(async () => {
    await (root as Database | undefined)?.close();
    await (sandbox as Sandbox | undefined)?.close();
  });
  afterEach(async () => {
    for (const answer of begun.splice(0)) answer.destroy();
    await until(
      "nothing runs and nothing is held",
      async () => (await busy()) === 0,
      DEADLINE_MS,
      LIST_POLL_MS,
    );
  });

  async function sheetOf({ headers }: Pick<Answer, "headers">): Promise<Sheet> {
    const path = /^<(\S+)>; rel="describedby"/.exec(String(headers["link"]))?.[1] ?? "";
    return (JSON.parse((await http.get(path, token)).text) as { data: Sheet }).data;
  }

  /** What the database says, in words of its own, beside the program's. */
  async function independent(where = "TRUE"): Promise<Omit<Sheet, "bytes" | "sha256">> {
    const totals = await sandbox.database.rows<{ currency: string; count: number; amount: string }>(
      `SELECT currency, COUNT(*) AS count, SUM(amount) AS amount FROM settlements WHERE ${where} GROUP BY currency ORDER BY currency`,
    );
    const [ids] = await sandbox.database.rows<{
      count: number;
      firstId: number | null;
      lastId: number | null;
    }>(`SELECT COUNT(*) AS count, MIN(id) AS firstId, MAX(id) AS lastId FROM settlements WHERE ${where}`);
    return { ...ids!, totals: totals.map((total) => ({ ...total, amount: Number(total.amount) })) };
  }

  /** Connections of the API's account that hold a transaction or run a statement on settlements. */
  const busy = () =>
    root.count(
      `SELECT COUNT(*) FROM information_schema.processlist p
       WHERE p.db = DATABASE() AND p.user = 'flashpay_api'
         AND (p.info LIKE '%settlements%' OR p.id IN (SELECT trx_mysql_thread_id FROM information_schema.innodb_trx))`,
    );

  /** The head of an export, of which nothing more is read. The seat of one that was cut is free once that is audited. */
  async function begin(): Promise<IncomingMessage> {
    return await until("there is room for an export", ask, DEADLINE_MS);

    async function ask(): Promise<IncomingMessage | undefined> {
      const asking = request(`${api.url}/api/settlements/export`, {
        headers: { Authorization: `Bearer ${token}` },
      });
      asking.on("error", () => undefined); // cut by this test
      asking.end();
      const [answer] = (await once(asking, "response")) as [IncomingMessage];
      answer.on("error", () => undefined);
      begun.push(answer);
      if (answer.statusCode === 200) return answer;
      answer.resume();
      return undefined;
    }
  }

  const filters = [
    { query: "", where: "TRUE" },
    { query: "?productId=2", where: "product_id = 2" },
    { query: "?userId=1005", where: "user_id = 1005" },
    { query: "?userId=1005&productId=2", where: "user_id = 1005 AND product_id = 2" },
    {
      query: "?from=2026-02-21T10:00:00.000Z&to=2026-03-01T00:00:00.000Z",
      where: "settled_at >= '2026-02-21 10:00:00' AND settled_at < '2026-03-01 00:00:00'",
    },
    {
      query: "?from=2026-03-08&to=2026-03-09&productId=3",
      where: "settled_at >= '2026-03-08 05:00:00' AND settled_at < '2026-03-09 04:00:00' AND product_id = 3",
    },
    { query: "?from=2020-01-01&to=2020-02-01", where: "FALSE" },
  ];
  for (const { query, where } of filters) {
    it(`hold what an independent sum says, in file and control sheet: ${query || "everything"}`, async () => {
      const answer = await http.get(`/api/settlements/export${query}`, token);
      expect(answer.status).to.equal(200);
      const sheet = await sheetOf(answer);
      const expected = await independent(where);
      expect(sheet).to.deep.include(expected);
      expect(sheet).to.include({ sha256: sha256(answer.text), bytes: Buffer.byteLength(answer.text) });
      const rows = rowsIn(answer.text);
      const sums = new Map<string, number>();
      for (const { currency = "", amount } of rows)
        sums.set(currency, (sums.get(currency) ?? 0) + Number(amount));
      expect(rows).to.have.length(expected.count);
      expect([...sums].sort()).to.deep.equal(
        expected.totals.map(({ currency, amount }) => [currency, amount]),
      );
      const ids = await sandbox.database.rows<{ id: number }>(
        `SELECT id FROM settlements WHERE ${where} ORDER BY id`,
      );
      expect(rows.map(({ id }) => Number(id))).to.deep.equal(ids.map(({ id }) => id));
    });
  }

  it("hold each row as it stands in the database", async () => {
    const [row] = rowsIn((await http.get("/api/settlements/export?userId=1007", token)).text);
    const [stored] = await sandbox.database.rows<{ order_id: string; settled_at: Date; amount: number }>(
      "SELECT * FROM settlements WHERE user_id = 1007 ORDER BY id LIMIT 1",
    );
    expect(row).to.deep.include({
      ...{ orderId: stored?.order_id, amount: String(stored?.amount), userId: "1007", type: "charge" },
      settledAt: stored?.settled_at.toISOString(),
    });
  });

  it("are of one instant: rows that come, change and go meanwhile are not in them", async () => {
    const expected = await independent();
    const answer = await begin();
    // Nothing is read: the API is stuck behind a full socket, in the middle of the file.
    await until("the export is under way", async () => (await busy()) > 0, DEADLINE_MS, LIST_POLL_MS);
    await sandbox.database.run(
      `INSERT INTO orders SELECT INSERT(id, 1, 8, 'ffffffff'), user_id, product_id, status, fail_reason, quantity, unit_price,
         currency, accepted_at, decided_at FROM orders ORDER BY id DESC LIMIT 100`,
    );
    await sandbox.database.run(
      `INSERT INTO settlements (order_id, user_id, product_id, type, amount, currency, settled_at)
       SELECT id, user_id, product_id, 'charge', 1, 'KRW', decided_at FROM orders WHERE id LIKE 'ffffffff%'`,
    );
    const [last] = await sandbox.database.rows<{ id: number; amount: number }>(
      "SELECT id, amount FROM settlements WHERE id = ?",
      [expected.lastId],
    );
    await sandbox.database.run("UPDATE settlements SET amount = amount + 1 WHERE id = ?", [last?.id]);
    expect(await busy(), "under way after the changes").to.be.above(0);
    try {
      const pieces: Buffer[] = [];
      for await (const piece of answer) pieces.push(piece as Buffer);
      const file = Buffer.concat(pieces).toString();
      const sheet = await sheetOf(answer);
      expect(sheet).to.deep.include(expected);
      expect(sheet.sha256).to.equal(sha256(file));
      expect(rowsIn(file).at(-1)).to.include({ id: String(last?.id), amount: String(last?.amount) });
    } finally {
      await sandbox.database.run("UPDATE settlements SET amount = amount - 1 WHERE id = ?", [last?.id]);
      await sandbox.database.run("DELETE FROM settlements WHERE order_id LIKE 'ffffffff%'");
      await sandbox.database.run("DELETE FROM orders WHERE id LIKE 'ffffffff%'");
    }
  });

  it("that nobody reads any more end, and give their connection back", async () => {
    const answer = await begin();
    await until("the export is under way", async () => (await busy()) > 0, DEADLINE_MS, LIST_POLL_MS);
    answer.destroy();
    await until(
      "nothing runs and nothing is held",
      async () => (await busy()) === 0,
      DEADLINE_MS,
      LIST_POLL_MS,
    );
    const told = { action: "settlements.export", outcome: "failed", reason: "the client went away" };
    const isAudited = async () => {
      const { text } = await http.get("/api/admin/audit?limit=1", token);
      const [entry] = (JSON.parse(text) as { data: (typeof told)[] }).data;
      return entry?.action === told.action && entry.outcome === told.outcome && entry.reason === told.reason;
    };
    await until("it is audited", isAudited, DEADLINE_MS);
    expect((await http.get("/api/settlements/export?userId=1007", token)).status).to.equal(200);
  });

  it("whose client goes away during the first sum end that statement in the database", async () => {
    // The sum waits for the table: nothing but its end can make it stop.
    const locker = await lockTable();
    try {
      const asking = request(`${api.url}/api/settlements/export`, {
        headers: { Authorization: `Bearer ${token}` },
      });
      asking.on("error", () => undefined);
      asking.end();
      const waiting = () =>
        root.count(
          "SELECT COUNT(*) FROM information_schema.processlist WHERE db = DATABASE() AND user = 'flashpay_api' AND info LIKE '%MIN(id)%'",
        );
      await until("the sum waits", async () => (await waiting()) === 1, DEADLINE_MS);
      asking.destroy();
      await until("the sum is over", async () => (await waiting()) === 0, DEADLINE_MS);
    } finally {
      await locker.release();
    }
  });

  it(`are made ${REPORTS_AT_ONCE_MAX} at once at most; whoever comes then is asked to come again`, async () => {
    const open = await Promise.all(Array.from({ length: REPORTS_AT_ONCE_MAX }, begin));
    const refused = await http.get("/api/settlements/export", token);
    expect(refused.status).to.equal(503);
    expect(Number(refused.headers["retry-after"])).to.be.above(0);
    expect(JSON.parse(refused.text)).to.include({ code: "not_ready" });
    expect((await http.get("/api/settlements/daily", token)).status).to.equal(503);
    expect((await http.get("/api/settlements", token)).status).to.equal(200);
    for (const answer of open) answer.destroy();
    await until(
      "there is room again",
      async () => (await http.get("/api/settlements/export?userId=1007", token)).status === 200,
      DEADLINE_MS,
    );
  });

  it("add up by days of the time zone, those of 23 hours too", async () => {
    const from = startOfDay("2026-03-07", ZONE);
    const answer = await http.get("/api/settlements/daily?from=2026-03-07&to=2026-03-10&productId=3", token);
    const { data } = JSON.parse(answer.text) as {
      data: { timeZone: string; days: { day: string; currency: string; count: number; amount: number }[] };
    };
    expect(data.timeZone).to.equal(ZONE);
    // UTC−5 before the change, UTC−4 after it.
    const bounds = ["2026-03-07 05:00", "2026-03-08 05:00", "2026-03-09 04:00", "2026-03-10 04:00"];
    expect(toSqlInstant(from)).to.match(/^2026-03-07 05:00/);
    for (const [i, day] of ["2026-03-07", "2026-03-08", "2026-03-09"].entries()) {
      const { totals } = await independent(
        `product_id = 3 AND settled_at >= '${bounds[i] ?? ""}' AND settled_at < '${bounds[i + 1] ?? ""}'`,
      );
      const found = data.days
        .filter((row) => row.day === day)
        .map(({ currency, count, amount }) => ({ currency, count, amount }));
      expect(found, day).to.deep.equal(totals);
      expect(totals.length, day).to.be.above(0);
    }
  });

  it("do not depend on time zones that the database knows, and hold no formula", async () => {
    const answer = await http.get("/api/settlements/daily?from=2026-02-20&to=2026-04-10&format=csv", token);
    const rows = rowsIn(answer.text);
    const { totals } = await independent(
      `settled_at >= '2026-02-20 05:00' AND settled_at < '2026-04-10 04:00'`,
    );
    for (const { currency, amount } of totals) {
      const sum = rows
        .filter((row) => row["currency"] === currency)
        .reduce((all, row) => all + Number(row["amount"]), 0);
      expect(sum, currency).to.equal(amount);
    }
    const titles = new Set(rows.map((row) => row["title"]));
    expect(titles).to.include(`'=HYPERLINK("http://evil.example")`);
    expect([...titles].filter((title) => title?.startsWith("="))).to.deep.equal([]);
  });

  it("are filtered histories on every page, for users too", async () => {
    const [user] = await sandbox.users(1);
    const list = async (query: string) =>
      await http.get(`/api/settlements${query}`, query.startsWith("/") ? token : (user?.token ?? ""));
    expect((await list("?from=2026-01-01&format=csv")).text).to.match(/^id,orderId[^\n]*\n$/);
    const { data } = JSON.parse(
      (await list("/products/2?from=2026-03-01&to=2026-03-02&userId=1005")).text,
    ) as {
      data: { settledAt: string; userId: number }[];
    };
    expect(data.every(({ userId }) => userId === 1005)).to.equal(true);
    expect(data.every(({ settledAt }) => /^2026-03-0[12]T/.test(settledAt))).to.equal(true);
  });

  describe("by npm run report", () => {
    const report = (...flags: string[]) =>
      runScript("tools/report.ts", flags, { ...sandbox.settings(), REPORT_TIME_ZONE: ZONE });
    const names = () => readdirSync(sandbox.home.path).filter((name) => name.startsWith("report-"));
    const file = (name: string) => join(sandbox.home.path, `report-${name}.csv`);

    it("are the same file, with the same control sheet beside it", async () => {
      const out = file("march");
      const { code, stdout, stderr } = await report(
        "--from",
        "2026-03-08",
        "--to",
        "2026-03-20",
        "--out",
        out,
      );
      expect(code, stderr).to.equal(0);
      const text = readFileSync(out, "utf8");
      const sheet = JSON.parse(readFileSync(`${out}.control.json`, "utf8")) as Sheet;
      expect(stdout).to.include(sheet.sha256);
      expect(sheet).to.deep.include({
        ...(await independent("settled_at >= '2026-03-08 05:00' AND settled_at < '2026-03-20 04:00'")),
        ...{ sha256: sha256(text), bytes: Buffer.byteLength(text) },
      });
      const overHttp = await http.get("/api/settlements/export?from=2026-03-08&to=2026-03-20", token);
      expect(overHttp.text === text).to.equal(true);
    });

    it("are summaries with --daily", async () => {
      const out = file("daily");
      const { code, stderr } = await report(
        "--daily",
        "--from",
        "2026-03-07",
        "--to",
        "2026-03-09",
        "--out",
        out,
      );
      expect(code, stderr).to.equal(0);
      const overHttp = await http.get(
        "/api/settlements/daily?from=2026-03-07&to=2026-03-09&format=csv",
        token,
      );
      expect(readFileSync(out, "utf8")).to.equal(overHttp.text);
    });

    it("never overwrite one, and leave nothing behind when they fail: one sentence, exit code 1", async () => {
      const taken = file("march");
      const before = names();
      const { database } = sandbox;
      await database.run(
        "UPDATE settlement_totals SET amount = amount + 1 WHERE scope = 'product' AND scope_id = 1",
      );
      try {
        for (const [flags, sentence] of [
          [["--out", taken], /^--out: \S+ exists already\.\n$/],
          [["--out", file("unequal")], /^The running totals are not the sums[^\n]*\.\n$/],
          [["--from", "x", "--out", file("x")], /^--from must be a day[^\n]*\n$/],
          [["--product", "0", "--out", file("x")], /^--product must be a positive integer[^\n]*\n$/],
          [
            ["--from", "2026-03-02", "--to", "2026-03-01", "--out", file("x")],
            /^--to: must be after from\.\n$/,
          ],
          [
            ["--out", join(sandbox.home.path, "nowhere/report.csv")],
            /^--out: the file can't be written[^\n]*\n$/,
          ],
          [["--since", "2026"], /^Unknown option '--since'[^\n]*\n$/],
        ] as const) {
          const { code, stderr } = await report(...flags);
          expect([code, sentence.test(stderr)], `${flags.join(" ")}: ${stderr}`).to.deep.equal([1, true]);
        }
      } finally {
        await database.run(
          "UPDATE settlement_totals SET amount = amount - 1 WHERE scope = 'product' AND scope_id = 1",
        );
      }
      expect(names()).to.deep.equal(before);
      expect(existsSync(taken)).to.equal(true);
    });
  });

  async function lockTable() {
    const { host, port, user, password, database } = sandbox.mysql;
    const connection = await mysql.createConnection({ host, port, user, password, database });
    await connection.query("LOCK TABLES settlements WRITE");
    return { release: () => connection.end() };
  }
});
