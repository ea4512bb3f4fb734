import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect } from "chai";
import { run } from "../tools/stack/command.ts";
import type { SaleBody } from "./support/bodies.ts";
import { openSandbox, type Sandbox } from "./support/sandbox.ts";

const PAGES = [
  "README.md",
  "README.ko.md",
  "CONTRIBUTING.md",
  ...readdirSync("docs", { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".md"))
    .map((file) => join("docs", file)),
];
const RUN_DEADLINE_MS = 60_000;

const read = (page: string): string => readFileSync(page, "utf8");

function blocks(page: string, language: string): string[] {
  return [...read(page).matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)]
    .filter(([, found]) => found === language)
    .map(([, , text = ""]) => text);
}

/** As GitHub makes them of headings. */
function anchorsOf(page: string): string[] {
  const text = read(page).replace(/^```[\s\S]*?^```$/gm, "");
  return [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, "")
      .replaceAll(" ", "-"),
  );
}

describe("every page", () => {
  for (const page of PAGES) {
    it(`${page}: links to what there is`, () => {
      const targets = [...read(page).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = ""]) => target);
      const broken = targets
        .filter((target) => !/^[a-z]+:/.test(target))
        .filter((target) => {
          const [path = "", anchor] = target.split("#");
          const file = path === "" ? page : join(dirname(page), path);
          return !existsSync(file) || (anchor !== undefined && !anchorsOf(file).includes(anchor));
        });
      expect(broken).to.deep.equal([]);
    });

    it(`${page}: names npm scripts that there are`, () => {
      const { scripts } = JSON.parse(read("package.json")) as { scripts: Record<string, string> };
      const named = [...read(page).matchAll(/npm run ([\w:-]+)/g)].map(([, name = ""]) => name);
      expect(named.filter((name) => !(name in scripts))).to.deep.equal([]);
    });
  }
});

describe("every picture in docs/screenshots", () => {
  it("is shown by some page", () => {
    const shown = new Set(
      PAGES.flatMap((page) =>
        [...read(page).matchAll(/!\[[^\]]+\]\(([^)\s]+)\)/g)].map(([, target = ""]) =>
          join(dirname(page), target),
        ),
      ),
    );
    const pictures = readdirSync("docs/screenshots").map((file) => join("docs/screenshots", file));
    expect(pictures.length).to.be.above(0);
    expect(pictures.filter((picture) => !shown.has(picture))).to.deep.equal([]);
  });
});

describe("what a reader copies", function () {
  this.timeout(RUN_DEADLINE_MS + 30_000);
  let sandbox: Sandbox;
  let url: string;
  let sale: SaleBody;

  before(async () => {
    sandbox = await openSandbox();
    const api = await sandbox.start("api");
    await sandbox.start("worker");
    url = `${api.url}/api`;
    // The first product of its database, as the README has it.
    sale = await sandbox.openSale(sandbox.client(api), { stock: 100 });
  });
  after(() => (sandbox as Sandbox | undefined)?.close());

  async function shell(script: string): Promise<string> {
    const env = { PATH: process.env["PATH"], API: url, SALE: String(sale.id) };
    const { ok, output } = await run("bash", ["-euo", "pipefail", "-c", script], {
      env,
      deadlineMs: RUN_DEADLINE_MS,
    });
    expect(ok, output).to.equal(true);
    return output;
  }

  for (const page of ["README.md", "README.ko.md"]) {
    it(`from ${page} becomes a settled order`, async () => {
      const [script = ""] = blocks(page, "sh").filter((text) => text.includes("/orders"));
      const output = await shell(script.replace(/^API=.*$/m, ""));
      expect(output).to.match(/"status":"SUCCESS"/);
      expect(output).to.match(/"type":"charge"/);
    });
  }

  it("from docs/api.md's terminal is one order, followed to its end", async () => {
    const output = await shell(blocks("docs/api.md", "sh").join("\n"));
    expect(output).to.match(/^idempotent-replayed: true\r?$/im);
    expect(output).to.match(/"status":"SUCCESS"[\s\S]*"type":"charge"/);
  });

  it("from docs/api.md's program is one order, however often its buyer clicks", async () => {
    const [buyer] = await sandbox.users(1);
    if (!buyer) throw new Error("no buyer");
    const main = `
      const [api, token, product] = process.argv.slice(2) as [string, string, string];
      const orders = await Promise.all([1, 2].map(() => placeOrder(api, token, Number(product), "a-key-of-this-buyer")));
      console.log(JSON.stringify([...orders, await follow(api, token, orders[0]!.orderId)]));
    `;
    const file = sandbox.home.at("client.mts");
    writeFileSync(file, blocks("docs/api.md", "ts").join("\n") + main);
    const args = ["--import", "tsx", file, url, buyer.token, String(sale.id)];
    const { ok, output } = await run(process.execPath, args, { deadlineMs: RUN_DEADLINE_MS });
    expect(ok, output).to.equal(true);
    const [first, second, end] = JSON.parse(output) as { orderId: string; status: string }[];
    expect(second?.orderId).to.equal(first?.orderId);
    expect(end).to.include({ orderId: first?.orderId, status: "SUCCESS" });
  });
});
