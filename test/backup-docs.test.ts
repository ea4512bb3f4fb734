import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { expect } from "chai";
import { run } from "../tools/stack/command.ts";
import { REPOSITORY } from "../tools/stack/home.ts";
import { orderOf, saleOf, type SaleBody } from "./support/bodies.ts";
import { openDatabase } from "./support/database.ts";
import { blocksOf } from "./support/doc-commands.ts";
import { shellSettings } from "./support/doc-shell.ts";
import type { HttpClient } from "./support/http-client.ts";
import { openSandbox, type Sandbox } from "./support/sandbox.ts";
import { until } from "./support/until.ts";

const BACK_UP = "docs/operations.md#back-up";
const RESTORE = "docs/operations.md#restore";
const BLOCK_DEADLINE_MS = 120_000;
const DECIDED_DEADLINE_MS = 20_000;
const PRICE = 12_900;
/** Orders before the dump, while it is made, after it, and while no worker runs any more. */
const [BEFORE, MEANWHILE, AFTER, UNDECIDED] = [40, 40, 40, 10];
const ORDERS = BEFORE + MEANWHILE + AFTER + UNDECIDED;
const MEANWHILE_EVERY_MS = 25;

describe("a backup as the page has it", function () {
  this.timeout(180_000);
  let sandbox: Sandbox;
  before(async function () {
    for (const program of ["mysqldump", "mysql", "redis-cli"])
      if (!(await run(program, ["--version"])).ok) {
        process.stdout.write(`      ${program} is not installed here: backup and restore are not tried\n`);
        this.skip();
      }
    sandbox = await openSandbox();
  });
  after(() => (sandbox as Sandbox | undefined)?.close());

  it("is restored without the loss of an accepted order, whenever it came", async () => {
    const restored = `${sandbox.mysql.database}_r`;
    const [api, worker] = await Promise.all([sandbox.start("api"), sandbox.start("worker")]);
    const http = sandbox.client(api);
    const sale = await sandbox.openSale(http, { stock: ORDERS + 5, price: PRICE });
    const buyers = await sandbox.users(ORDERS);
    const accepted = new Map<string, number>();
    const order = async (count: number, everyMs = 0): Promise<void> => {
      for (const buyer of buyers.splice(0, count)) {
        accepted.set(await placed(http, sale, buyer.token), buyer.id);
        await delay(everyMs);
      }
    };
    await order(BEFORE);
    await Promise.all([
      command(block(BACK_UP), sandbox.mysql.database),
      order(MEANWHILE, MEANWHILE_EVERY_MS),
    ]);
    await order(AFTER);
    const settled = BEFORE + MEANWHILE + AFTER;
    const count = () => sandbox.database.count("SELECT COUNT(*) FROM settlements");
    await until("all are settled", async () => (await count()) === settled, DECIDED_DEADLINE_MS);
    await worker.stop();
    await order(UNDECIDED);
    await api.stop();

    const [prepare, check] = restoreSteps();
    try {
      await command(prepare, restored);
      const env = { MYSQL_DATABASE: restored };
      const again = await sandbox.start("worker", { env });
      const apiAgain = await sandbox.start("api", { env });
      await command(check, restored, again.url);
      await holdAgainst(restored, accepted);
      const seen = saleOf(await sandbox.client(apiAgain).get(`/api/products/${sale.id}`));
      expect(seen).to.include({ stockLeft: 5, state: "open" });
      await Promise.all([apiAgain.stop(), again.stop()]);
    } finally {
      await sandbox.database.run("DROP DATABASE IF EXISTS ??", [restored]);
    }
  });

  /** Every order that heard 202 is settled once, to its buyer, at its price; nobody is given the number of another account. */
  async function holdAgainst(name: string, accepted: ReadonlyMap<string, number>): Promise<void> {
    const database = openDatabase({ ...sandbox.mysql, database: name });
    try {
      const rows = await database.rows<{ id: string; user_id: number; status: string; amount: number }>(
        "SELECT o.id, o.user_id, o.status, s.amount FROM orders o LEFT JOIN settlements s ON s.order_id = o.id",
      );
      expect(new Map(rows.map(({ id, user_id }) => [id, user_id]))).to.deep.equal(accepted);
      expect(rows.filter(({ status, amount }) => status !== "SUCCESS" || amount !== PRICE)).to.deep.equal([]);
      const [next] = await database.rows<{ next: number }>(
        "SELECT AUTO_INCREMENT AS next FROM information_schema.tables WHERE table_schema = ? AND table_name = 'users'",
        [name],
      );
      expect(next?.next).to.be.above(1_000_000);
    } finally {
      await database.close();
    }
  }

  async function command(script: string, database: string, worker = ""): Promise<void> {
    const shell = shellSettings(sandbox);
    const env = {
      ...{ ...shell, PATH: `${kafkaTools()}:${String(shell["PATH"])}` },
      ...{ MYSQL_DATABASE: database, WORKER: worker },
    };
    const { ok, output } = await run("bash", ["-euo", "pipefail", "-c", script], {
      ...{ env, cwd: sandbox.home.path, deadlineMs: BLOCK_DEADLINE_MS },
    });
    expect(ok, output).to.equal(true);
  }

  function kafkaTools(): string {
    const folder = join(sandbox.home.path, "bin");
    mkdirSync(folder, { recursive: true });
    const file = join(folder, "kafka-consumer-groups.sh");
    writeFileSync(
      file,
      `#!/bin/sh\nexec "${process.execPath}" --import "${REPOSITORY}/node_modules/tsx/dist/loader.mjs" ` +
        `"${REPOSITORY}/test/support/consumer-groups.ts" "$@"\n`,
    );
    chmodSync(file, 0o755);
    return folder;
  }
});

async function placed(http: HttpClient, sale: SaleBody, token: string): Promise<string> {
  return orderOf(await http.post("/api/orders", { productId: sale.id }, token)).orderId;
}

const block = (place: string): string => textsAt(place)[0] ?? "";
const textsAt = (place: string): string[] =>
  blocksOf("docs/operations.md", "sh")
    .filter((one) => one.place === place)
    .map(({ text }) => text);

/** What is done while nothing runs, and what when it runs again. */
function restoreSteps(): [string, string] {
  const [prepare, check, ...more] = textsAt(RESTORE);
  if (prepare === undefined || check === undefined || more.length > 0)
    throw new Error(`${RESTORE} has no longer two blocks`);
  return [prepare, check];
}
