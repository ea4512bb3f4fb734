import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { parse } from "yaml";
import { TOPICS, WORKER_GROUP } from "../shared/kafka/topics.ts";
import { run } from "../tools/stack/command.ts";
import type { Program } from "../tools/stack/programs.ts";
import { lettersOf, orderOf, type LetterBody } from "./support/bodies.ts";
import { blocksOf, isRunElsewhere, linesOf, type Block } from "./support/doc-commands.ts";
import { shellSettings } from "./support/doc-shell.ts";
import type { HttpClient } from "./support/http-client.ts";
import { openSandbox, type Sandbox } from "./support/sandbox.ts";
import { until } from "./support/until.ts";

const BLOCK_DEADLINE_MS = 60_000;
const SEEN_DEADLINE_MS = 20_000;
/** Run by test/backup-docs.test.ts. */
const ELSEWHERE = ["docs/operations.md#back-up", "docs/operations.md#restore"];
const RUN_HERE = ["docs/operations.md", "docs/reliability.md"];

const blocks = [...RUN_HERE, "docs/deployment.md"]
  .flatMap((page) => blocksOf(page, "sh"))
  .filter(({ place }) => !ELSEWHERE.includes(place));
/** What is to be seen when a block has run. */
const EXPECTED: Readonly<Record<string, RegExp>> = {
  "docs/deployment.md#accounts-in-mysql": /have their rights/,
  "docs/operations.md#deploy": /Administrator operator-\w+ \(id \d+\) created\. Password: \S{20,}/,
  "docs/operations.md#dead-letters": /"action":"dead_letter\.replay"/,
  "docs/operations.md#reports": /"sha256":"([0-9a-f]{64})"[\s\S]*\1 +january\.csv[\s\S]*SHA-256 \1/,
  "docs/operations.md#flashpayintakefails": /^flashpay_orders_total\{.*outcome="accepted".*\} 1$/m,
  "docs/operations.md#flashpaycounterslost": /"state":"consistent"/,
  "docs/operations.md#no-alert-npm-run-verify-ends-with-1": /"state":"closed"/,
};
const MIGRATIONS = "SELECT name FROM schema_migrations ORDER BY name";

describe("what an operator copies", function () {
  this.timeout(BLOCK_DEADLINE_MS + 30_000);
  let sandbox: Sandbox;
  let api: Program;
  let worker: Program;
  let http: HttpClient;
  let letter: LetterBody;
  let productId: number;
  /** Lines that cost seconds are run once. */
  const ran = new Set<string>();

  before(async () => {
    sandbox = await openSandbox();
    [api, worker] = await Promise.all([sandbox.start("api"), sandbox.start("worker")]);
    http = sandbox.client(api);
    const sale = await sandbox.openSale(http, { stock: 10 });
    productId = sale.id;
    const [buyer] = await sandbox.users(1);
    orderOf(await http.post("/api/orders", { productId }, buyer?.token));
    await sandbox.producer.send({ topic: TOPICS.orders, messages: [{ key: "k", value: "no order" }] });
    letter = await until(
      "the letter is parked, the order settled",
      async () => {
        const settled = await sandbox.database.count("SELECT COUNT(*) FROM settlements");
        const [first] = lettersOf(await http.get("/api/admin/dead-letters", sandbox.host.token));
        return settled === 1 && first;
      },
      SEEN_DEADLINE_MS,
    );
  });
  after(() => (sandbox as Sandbox | undefined)?.close());

  for (const block of blocks) {
    const lines = linesOf(block).filter((line) => !isRunElsewhere(line));
    if (lines.length === 0) continue;
    it(`works as it is printed: ${block.place}`, async function () {
      if (lines.some((line) => line.startsWith("mysql ")) && !(await run("mysql", ["--version"])).ok)
        this.skip();
      const migrated = await sandbox.database.rows(MIGRATIONS);
      const output = await shell(block, lines);
      // The block has both ways of handling one letter: whoever comes second is refused.
      const refused = block.place.endsWith("#dead-letters") ? ["dead_letter_handled"] : [];
      expect(refusalsIn(output), output).to.deep.equal(refused);
      expect(output).to.match(EXPECTED[block.place] ?? /^/);
      if (!lines.includes("npm run db:rollback")) return;
      expect(await sandbox.database.rows(MIGRATIONS)).to.deep.equal(migrated.slice(0, -1));
      await command("npm run db:migrate");
      expect(await sandbox.database.rows(MIGRATIONS)).to.deep.equal(migrated);
    });
  }

  async function shell(block: Block, lines: readonly string[]): Promise<string> {
    const fresh = lines.filter((line) => !(line.startsWith("npm run ") && ran.has(line)));
    fresh.forEach((line) => ran.add(line));
    return await command(
      fresh.join("\n"),
      String(block.place.endsWith("#dead-letters") ? letter.id : productId),
    );
  }

  async function command(script: string, id = ""): Promise<string> {
    const env = {
      ...shellSettings(sandbox),
      ...{
        API: api.url,
        WORKER: worker.url,
        TOKEN: sandbox.host.token,
        ID: id,
        NAME: `operator-${Date.now()}`,
      },
      AUTH: `authorization: Bearer ${sandbox.host.token}`,
      ...{ FROM: dayAfter(-1), TO: dayAfter(2) },
    };
    const { ok, output } = await run("bash", ["-euo", "pipefail", "-c", script], {
      ...{ env, cwd: sandbox.home.path, deadlineMs: BLOCK_DEADLINE_MS },
    });
    expect(ok, output).to.equal(true);
    return output;
  }
});

const dayAfter = (days: number): string =>
  new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10);

const refusalsIn = (output: string): string[] =>
  [...output.matchAll(/"success":false.*?"code":"(\w+)"/g)].map(([, code = ""]) => code);

/** Lines that need a fleet: what can be held against the repository is. */
describe("what an operator copies for Docker and Kafka", () => {
  const lines = blocks.flatMap((block) => linesOf(block).filter(isRunElsewhere));
  const { services } = parse(readFileSync("docker/compose.yml", "utf8")) as { services: object };

  it("names services that docker/compose.yml has", () => {
    const named = lines
      .filter((line) => line.startsWith("docker compose"))
      .flatMap((line) => {
        const [command = ""] = line.split("|");
        const words = command.split(" ").slice(4); // docker compose -f FILE
        const scaled = words.flatMap((word) => /^(\w+)=\d+$/.exec(word)?.[1] ?? []);
        return [...scaled, ...words.filter((word) => /^(api|worker|mysql|redis|kafka)$/.test(word))];
      });
    expect(named).to.include.members(["api", "worker"]);
    expect(named.filter((name) => !(name in services))).to.deep.equal([]);
    const words = lines.flatMap(
      (line) => /\blogs (?:--\S+ \S+ )*([a-z ]+?)(?: \||$)/.exec(line)?.[1]?.split(" ") ?? [],
    );
    expect(words.filter((word) => !(word in services))).to.deep.equal([]);
  });

  it("looks for sentences that the programs say", () => {
    const source = ["api", "worker", "shared"].flatMap(sourceBelow).join("\n");
    const sought = lines.flatMap((line) => /\| grep '"?([a-z][^'":]+)"?'/.exec(line)?.[1] ?? []);
    expect(sought).to.have.length.above(3);
    expect(sought.filter((sentence) => !source.includes(sentence))).to.deep.equal([]);
    const told = lines.flatMap((line) => line.match(/"(level|status)":/g) ?? []);
    expect(new Set(told)).to.deep.equal(new Set(['"level":', '"status":']));
  });

  it("names the topics and the group that there are", () => {
    const known: readonly string[] = [...Object.values(TOPICS), WORKER_GROUP];
    const named = readFileSync("docs/operations.md", "utf8").match(/\bflashpay\.[\w.]+\.v\d(\.dlt)?/g) ?? [];
    expect(named.filter((name) => !known.includes(name) && name !== WORKER_GROUP)).to.deep.equal([]);
  });
});

function sourceBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts") && !file.endsWith(".test.ts"))
    .map((file) => readFileSync(join(folder, file), "utf8"));
}
