import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import jwt from "jsonwebtoken";
import mysql, { type Connection, type RowDataPacket } from "mysql2/promise";
import { issueTokens, seedBuyers, writeBuyers } from "../tools/jmeter/buyers.ts";
import { readWhenSettled } from "../tools/jmeter/ledger.ts";

const SECRET = "9f0Qe7-kQ2x_vT5mZ1cR8sLw4uHy6bNa3dJg";

describe("the buyers of a load test", () => {
  let database: Connection;
  let folder: string;

  before(async () => {
    const { env } = process;
    folder = mkdtempSync(join(tmpdir(), "flashpay-buyers-"));
    database = await mysql.createConnection({
      host: env["TEST_MYSQL_HOST"] ?? "",
      port: Number(env["TEST_MYSQL_PORT"]),
      user: env["TEST_MYSQL_USER"] ?? "",
      password: env["TEST_MYSQL_PASSWORD"] ?? "",
      database: env["TEST_MYSQL_DATABASE"] ?? "",
    });
  });
  after(async () => {
    await database.end();
    rmSync(folder, { recursive: true });
  });

  it("are ordinary accounts, as many as asked for, and a second set is another one", async () => {
    const first = await seedBuyers(database, 1_001);
    const second = await seedBuyers(database, 3);
    expect(new Set([...first, ...second])).to.have.property("size", 1_004);
    const [rows] = await database.query<RowDataPacket[]>(
      "SELECT role, COUNT(*) AS users, COUNT(DISTINCT password_hash) AS hashes FROM users WHERE id IN (?) GROUP BY role",
      [first],
    );
    expect(rows).to.deep.equal([{ role: "user", users: 1_001, hashes: 1 }]);
  });

  it("have tokens of their own, in a file for one pair of eyes", () => {
    const path = join(folder, "users.csv");
    writeBuyers(path, issueTokens([7, 8], SECRET));
    expect(statSync(path).mode & 0o777).to.equal(0o600);
    const [header, ...lines] = readFileSync(path, "utf8").trimEnd().split("\n");
    expect(header).to.equal("userId,token");
    const subjects = lines.map((line) => {
      const [userId, token = ""] = line.split(",");
      const claims = jwt.verify(token, SECRET, { algorithms: ["HS256"] }) as { sub: string };
      expect(claims.sub).to.equal(userId);
      return userId;
    });
    expect(subjects).to.deep.equal(["7", "8"]);
  });

  it("of whom none has bought leave an empty ledger", async () => {
    expect(await readWhenSettled(database, 999_999_999, 0)).to.deep.equal({
      ...{ settled: 0, succeeded: 0, failed: 0 },
      decisionMs: undefined,
      lastDecidedAt: undefined,
    });
  });
});
