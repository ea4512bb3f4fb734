import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect } from "chai";
import { run } from "../tools/stack/command.ts";
import type { SaleBody } from "./support/bodies.ts";
import {
  anchorOf,
  blocksOf,
  COMMAND_PAGES,
  inlineCommands,
  isRunElsewhere,
  linesOf,
  readPage as read,
} from "./support/doc-commands.ts";
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

const blocks = (page: string, language: string): string[] => blocksOf(page, language).map(({ text }) => text);

function anchorsOf(page: string): string[] {
  const text = read(page).replace(/^```[\s\S]*?^```$/gm, "");
  return [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) => anchorOf(heading));
}

/** Blocks of ```sh that a test runs as they are printed; whose spec names the place. */
const RUN: Readonly<Record<string, string>> = {
  "README.md#a-first-order": "test/docs.test.ts",
  "README.ko.md#첫-주문": "test/docs.test.ts",
  "docs/api.md#in-a-terminal": "test/docs.test.ts",
  "docs/deployment.md#accounts-in-mysql": "test/operations-docs.test.ts",
  "docs/operations.md#back-up": "test/backup-docs.test.ts",
  "docs/operations.md#restore": "test/backup-docs.test.ts",
};
/** Every other block of these pages is run, line by line, by the spec. */
const RUN_WHOLE: Readonly<Record<string, string>> = {
  "docs/operations.md": "test/operations-docs.test.ts",
  "docs/reliability.md": "test/operations-docs.test.ts",
};

/**
 * What no test runs as it is printed, by its beginning, and what covers it instead: a spec, or a reason. A line of the page that
 * begins with none of these fails, and so does an entry that no page has any more.
 */
const NOT_RUN: Readonly<Record<string, string>> = {
  "npm start": "test/launcher.test.ts",
  "npm test": "it is what runs this; tools/stack/test-runs.test.ts",
  "npm run check": "part of npm test (tools/test.ts)",
  "npm run build": "tools/stack/build.ts runs it for test/pm2.test.ts",
  "npm run start:api": "test/pm2.test.ts",
  "npm run start:worker": "test/pm2.test.ts",
  "npm run verify": "test/verify.test.ts",
  "npm run report": "test/reports.test.ts",
  "npm run admin": "test/operations-docs.test.ts",
  "npm run db:": "test/operations-docs.test.ts",
  "npm run postman": "test/postman.test.ts",
  "npm run screenshots":
    "pictures differ from machine to machine; the views are walked through in test/pages/dashboard.test.ts",
  "npm run bench": "test/bench.test.ts",
  "npm run jmeter": "test/jmeter-buyers.test.ts",
  "npm run test:simulation": "test/simulation.test.ts",
  "npm run test:long": "more cases of specs that npm test runs",
  "npm run test:faults": "test/e2e/faults.test.ts",
  "npm run test:soak": "test/faults/soak/plan.test.ts",
  "npm run test:fuzz": "test/e2e/fuzz.test.ts",
  "npm run test:mutants": "tools/mutants/mutants.test.ts",
  "npm ci": "what comes before npm test itself",
  "pm2 ": "test/pm2.test.ts",
  "node --env-file": "a flag of Node.js; test/env-example.test.ts holds .env.example against the settings",
  "node dist/": "test/pm2.test.ts",
  "docker ": "test/operations-docs.test.ts",
  "METRICS=on GRAFANA_PASSWORD=": "test/docker.test.ts",
  "export METRICS=": "test/docker.test.ts",
  "kafka-topics.sh": "test/operations-docs.test.ts",
};

describe("every command of the pages", () => {
  const notRun = COMMAND_PAGES.flatMap((page) => [
    ...inlineCommands(page),
    ...blocksOf(page, "sh")
      .filter(({ place }) => !(place in RUN))
      .flatMap(linesOf)
      .filter((line) => !(page in RUN_WHOLE) || isRunElsewhere(line)),
  ]);
  const covers = (command: string) => (beginning: string) => command.startsWith(beginning);

  it("is run by a test, or stands in the table of those that are not", () => {
    const unknown = notRun.filter((command) => !Object.keys(NOT_RUN).some(covers(command)));
    expect(unknown).to.deep.equal([]);
  });

  it("stands in that table only while a page has it", () => {
    const stale = Object.keys(NOT_RUN).filter(
      (beginning) => !notRun.some((one) => one.startsWith(beginning)),
    );
    expect(stale).to.deep.equal([]);
  });

  it("is covered by what there is", () => {
    const specs = [...Object.values(NOT_RUN), ...Object.values(RUN), ...Object.values(RUN_WHOLE)];
    const named = specs.flatMap((text) => text.match(/\b[\w/.-]+\.ts\b/g) ?? []);
    expect(named.filter((file) => !existsSync(file))).to.deep.equal([]);
  });

  it("that a test runs as it is printed is on its page still, and known to that test", () => {
    const places = COMMAND_PAGES.flatMap((page) => blocksOf(page, "sh").map(({ place }) => place));
    const gone = Object.keys(RUN).filter((place) => !places.includes(place));
    expect(gone).to.deep.equal([]);
    const unknown = Object.entries({ ...RUN, ...RUN_WHOLE }).filter(
      ([place, spec]) => !read(spec).includes(`"${place}"`),
    );
    expect(unknown).to.deep.equal([]);
  });

  it("has only flags that its tool knows", () => {
    const unknown = notRun.flatMap((command) => {
      const [, script = "", rest = ""] = /^npm run ([\w:-]+)(.*)$/.exec(command) ?? [];
      const known = toolSource(script.replace(/^test:|^db:/, ""));
      const flags = [...rest.matchAll(/--([a-z][a-z-]+)/g)].map(([, flag = ""]) => flag);
      return flags
        .filter((flag) => !new RegExp(`["{, ]${flag}["]?: \\{`).test(known))
        .map((flag) => `${command}: --${flag}`);
    });
    expect(unknown).to.deep.equal([]);
  });
});

/** A tool's own file, and those of its folder. */
function toolSource(name: string): string {
  const folder = `tools/${name}`;
  const files = existsSync(folder) ? readdirSync(folder).map((file) => join(folder, file)) : [];
  return [`${folder}.ts`, ...files]
    .filter((file) => file.endsWith(".ts") && existsSync(file))
    .map(read)
    .join("\n");
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
