import { randomUUID } from "node:crypto";
import { expect } from "chai";
import { RIGHTS } from "../tools/rights/rights.ts";
import { migrate } from "../tools/stack/migrate.ts";
import { run } from "../tools/stack/command.ts";
import { mysqlSettings, type ProgramName } from "../tools/stack/programs.ts";
import { openDatabase, type Database } from "./support/database.ts";
import { sharedServers } from "./support/servers.ts";

/** Ledger-like: what is written is never changed. */
const LEDGERS: Readonly<Record<string, string>> = {
  orders: "status",
  order_history: "to_status",
  settlements: "amount",
  admin_audit: "outcome",
};
/** MySQL's numbers of "denied" for a table, a column, and a database. */
const DENIED = ["ER_TABLEACCESS_DENIED_ERROR", "ER_COLUMNACCESS_DENIED_ERROR", "ER_DBACCESS_DENIED_ERROR"];

/** That the rights suffice is shown by every spec with programs: their accounts have these rights and no others. */
describe("the programs' accounts in the database", () => {
  const server = sharedServers().mysql;
  const address = { ...server, database: `flashpay_${randomUUID().slice(0, 8)}` };
  let owner: Database;
  const accounts = {} as Record<ProgramName, Database>;

  before(async () => {
    owner = openDatabase(server);
    await owner.run("CREATE DATABASE ?? CHARACTER SET utf8mb4", [address.database]);
    await migrate(address, process.env);
    for (const program of ["api", "worker"] as const) {
      accounts[program] = openDatabase({ ...address, ...address.accounts?.[program] });
    }
  });
  after(async () => {
    for (const account of Object.values(accounts)) await account.close();
    await owner.run("DROP DATABASE ??", [address.database]);
    await owner.close();
  });

  async function denied(program: ProgramName, sql: string): Promise<void> {
    const outcome = await accounts[program].run(sql).then(
      () => "done",
      (error: unknown) => (error as { code?: string }).code ?? String(error),
    );
    expect(outcome, `${program}: ${sql}`).to.be.oneOf(DENIED);
  }

  for (const program of ["api", "worker"] as const) {
    it(`${program}: may change and delete nothing in a ledger`, async () => {
      for (const [table, column] of Object.entries(LEDGERS)) {
        await denied(program, `UPDATE ${table} SET ${column} = ${column}`);
        await denied(program, `DELETE FROM ${table}`);
        await denied(program, `TRUNCATE ${table}`);
      }
    });

    it(`${program}: may not make, alter or drop a table, nor see another database`, async () => {
      await denied(program, "CREATE TABLE mine (id INT)");
      await denied(program, "ALTER TABLE settlements ADD COLUMN mine INT");
      await denied(program, "DROP TABLE settlements");
      await denied(program, "SELECT * FROM mysql.user");
      await denied(program, "GRANT DELETE ON settlements TO CURRENT_USER()");
    });
  }

  it("api: may write no order and no settlement, and not what is sold", async () => {
    for (const table of ["orders", "order_history", "settlements", "settlement_totals"]) {
      await denied("api", `INSERT INTO ${table} SELECT * FROM ${table}`);
    }
    await denied("api", "UPDATE products SET sold = sold");
    await denied("api", "UPDATE products SET price = price");
    await denied("api", "UPDATE users SET role = 'admin'");
  });

  it("worker: may make no user, no product and no entry of an audit, and not change a product's stock", async () => {
    for (const table of ["users", "products"]) {
      await denied("worker", `INSERT INTO ${table} SELECT * FROM ${table}`);
    }
    await denied("worker", "UPDATE products SET stock = stock");
    await denied("worker", "SELECT * FROM admin_audit");
  });

  it("are decided for every table", async () => {
    const tables = await owner.rows<{ name: string }>(
      "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = ?",
      [address.database],
    );
    const decided = new Set([...Object.keys(RIGHTS.api), ...Object.keys(RIGHTS.worker)]);
    expect(tables.map(({ name }) => name).sort()).to.deep.equal([...decided].sort());
  });

  it("get them from npm run db:rights too, which says what it would do on --print", async () => {
    const env = { ...process.env, ...mysqlSettings(address) };
    const tool = (...flags: string[]) =>
      run(process.execPath, ["--import", "tsx", "tools/db-rights.ts", ...flags], { env });
    const printed = await tool("--print");
    expect(printed.output).to.contain(
      `GRANT SELECT, UPDATE (sold) ON \`${address.database}\`.\`products\` TO 'flashpay_worker'@'%';`,
    );
    expect((await tool()).output).to.match(/flashpay_api and flashpay_worker have their rights/);
    const stranger = await tool("--host", "203.0.113.9");
    expect(stranger).to.include({ ok: false });
    expect(stranger.output).to.match(/^MYSQL_USER: no rights were given: .*\.$/m);
  }).timeout(30_000);
});
