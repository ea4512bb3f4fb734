import { readFileSync } from "node:fs";
import { expect } from "chai";
import newman, { type NewmanSummary } from "newman";
import { createDocument } from "../api/openapi/document.ts";
import { generatePostman } from "../tools/postman/generate.ts";
import { WALK } from "../tools/postman/walk.ts";
import type { Program } from "../tools/stack/programs.ts";
import { misfitOf } from "./support/document-check.ts";
import { openSandbox, type Sandbox } from "./support/sandbox.ts";
import { SEEDED_PASSWORD } from "./support/seed.ts";

const COLLECTION = "postman/flashpay.postman_collection.json";
const ENVIRONMENT = "postman/local.postman_environment.json";
const WALK_DEADLINE_MS = 60_000;

interface Item {
  readonly name: string;
  readonly item?: readonly Item[];
  readonly request?: { readonly method: string; readonly url: { readonly path: readonly string[] } };
  readonly event?: readonly {
    readonly listen: string;
    readonly script: { readonly exec: readonly string[] };
  }[];
}

const read = (path: string): string => readFileSync(path, "utf8");
const folders = (): readonly Item[] => (JSON.parse(read(COLLECTION)) as { item: Item[] }).item;

describe("the Postman collection", () => {
  it("is the one that npm run postman makes, letter by letter", async () => {
    for (const [path, text] of await generatePostman())
      expect(read(path) === text, `${path} is current`).to.equal(true);
  }).timeout(30_000);

  it("comes out the same each time", async () => {
    expect([...(await generatePostman())]).to.deep.equal([...(await generatePostman())]);
  }).timeout(30_000);

  it("has every request of the OpenAPI document", () => {
    const requests = folders()
      .filter(({ name }) => name !== WALK)
      .flatMap(({ item = [] }) => item)
      .map(({ request }) => `${request?.method ?? ""} /${request?.url.path.join("/") ?? ""}`);
    const documented = Object.entries(createDocument().paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path.replaceAll(/\{(\w+)\}/g, ":$1")}`),
    );
    expect(requests.sort()).to.deep.equal(documented.sort());
  });

  it("tests the body of every answer of its walk", () => {
    const steps = folders().find(({ name }) => name === WALK)?.item ?? [];
    expect(steps).to.have.length.above(5);
    for (const { name, event = [] } of steps) {
      const script = event.find(({ listen }) => listen === "test")?.script.exec.join("\n") ?? "";
      expect(script, name)
        .to.match(/pm\.test\(/)
        .and.match(/pm\.response\.(json|text)\(\)/);
    }
  });

  it("holds no password and no token", () => {
    const { values } = JSON.parse(read(ENVIRONMENT)) as { values: { type: string; value: string }[] };
    expect(values.filter(({ type, value }) => type === "secret" && value !== "")).to.deep.equal([]);
    expect(read(COLLECTION)).not.to.match(/eyJ[\w-]+\.eyJ/);
  });
});

describe("the Postman walk", function () {
  this.timeout(WALK_DEADLINE_MS + 30_000);
  let sandbox: Sandbox;
  let api: Program;

  before(async () => {
    sandbox = await openSandbox();
    [api] = await Promise.all([sandbox.start("api"), sandbox.start("worker")]);
  });
  after(() => sandbox.close());

  it("goes from sign-up to settlement", async () => {
    const { run } = await walk({
      baseUrl: api.url,
      adminUsername: sandbox.host.username,
      adminPassword: SEEDED_PASSWORD,
    });
    expect(run.failures.map(({ source, error }) => `${source?.name ?? ""}: ${error.message}`)).to.deep.equal(
      [],
    );
    const steps = folders().find(({ name }) => name === WALK)?.item ?? [];
    const tested = run.executions
      .filter(({ assertions = [] }) => assertions.length > 0)
      .map(({ item }) => item.name);
    expect(tested).to.deep.equal(steps.map(({ name }) => name));
    expect(run.executions.map(misfitIn)).to.deep.equal(steps.map(() => undefined));
  });

  it("fails, and ends, when a step is not answered as it should be", async () => {
    const { run } = await walk({
      baseUrl: api.url,
      adminUsername: sandbox.host.username,
      adminPassword: "wrong",
    });
    expect(run.failures.map(({ source }) => source?.name)).to.include("3. Log in as administrator");
    expect(run.executions.length).to.be.below(15);
  });
});

function misfitIn({ request, response }: NewmanSummary["run"]["executions"][number]): string | undefined {
  if (!response) return "no answer";
  const headers = { "content-type": response.headers.get("Content-Type") };
  const asked = { method: request.method, path: request.url.getPath() };
  return misfitOf(asked, { status: response.code, headers, text: response.text() });
}

function walk(settings: Readonly<Record<string, string>>): Promise<NewmanSummary> {
  return new Promise((resolve, reject) => {
    newman.run(
      {
        collection: JSON.parse(read(COLLECTION)) as object,
        environment: JSON.parse(read(ENVIRONMENT)) as object,
        envVar: Object.entries(settings).map(([key, value]) => ({ key, value })),
        folder: WALK,
        timeout: WALK_DEADLINE_MS,
      },
      (error, summary) => {
        if (error) reject(error);
        else resolve(summary);
      },
    );
  });
}
