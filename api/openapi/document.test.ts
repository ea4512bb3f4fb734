import { expect } from "chai";
import { discardBody } from "../controllers/admin-schemas.ts";
import { loginBody, orderBody, productBody, signupBody } from "../controllers/schemas.ts";
import { PROBLEMS } from "../middleware/error-handler.ts";
import { servedRoutes } from "../../test/support/served-routes.ts";
import { createTestApp } from "../app.test.ts";
import { createDocument } from "./document.ts";

interface Operation {
  readonly operationId?: string;
  readonly security?: readonly object[];
  readonly tags?: readonly string[];
  readonly summary?: string;
  readonly requestBody?: unknown;
  readonly parameters?: readonly { $ref: string }[];
  readonly responses: Readonly<Record<string, { $ref?: string; description?: string }>>;
}
interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly tags: readonly { readonly name: string }[];
  readonly components: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}
const document = createDocument() as unknown as Document;
const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ name: `${method} ${path}`, path, operation })),
);

describe("the OpenAPI document", () => {
  it("describes every route that is served, and none that is not", () => {
    const { app } = createTestApp();
    // Pages are not part of it, the one that shows the document included.
    const served = servedRoutes(app, Object.keys(document.paths))
      .map(({ name }) => name)
      .filter((name) => !/ \/(api-docs.*|pages\/.*|admin)?$/.test(name));
    expect(served).to.include("post /api/orders");
    expect(served.sort()).to.deep.equal(operations.map(({ name }) => name).sort());
  });

  it("names each operation once", () => {
    const ids = operations.map(({ operation }) => operation.operationId);
    expect(ids.every((id) => id !== undefined && /^[a-z][A-Za-z]+$/.test(id))).to.equal(true);
    expect(new Set(ids).size).to.equal(ids.length);
  });

  it("gives each operation a summary and a tag that is explained", () => {
    const explained = document.tags.map(({ name }) => name);
    for (const { name, operation } of operations) {
      expect(operation.summary, name).to.be.a("string").and.not.equal("");
      expect(explained, name).to.include.members([...(operation.tags ?? ["none"])]);
    }
  });

  it("points at nothing that is not there", () => {
    const refs = [...JSON.stringify(document).matchAll(/"\$ref":"#\/components\/([^/"]+)\/([^"]+)"/g)];
    expect(refs.length).to.be.above(50);
    for (const [text, kind = "", name = ""] of refs)
      expect(document.components[kind], text).to.have.property(name);
  });

  it("has an example of every error code, under the status that it comes with", () => {
    const text = JSON.stringify(document.components["responses"]);
    for (const code of Object.keys(PROBLEMS).filter((one) => one !== "method_not_allowed"))
      expect(text, code).to.include(`"code":"${code}"`);
  });

  it("lets a reader see every code that exists", () => {
    const schema = document.components["schemas"]?.["ErrorCode"] as { enum: string[] } | undefined;
    expect(schema?.enum.toSorted()).to.deep.equal(Object.keys(PROBLEMS).sort());
  });
});

describe("each operation in the document", () => {
  const open = new Set([
    "signUp",
    "logIn",
    "listProducts",
    "readProduct",
    "readHealth",
    "readReadiness",
    "readMetrics",
  ]);
  const admin =
    /openSale|OfProduct$|checkConsistency|exportSettlements|readExportControl|summariseSettlements/;

  for (const { name, path, operation } of operations) {
    const { operationId = "" } = operation;
    it(`${name} says who may use it and each answer that it can give`, () => {
      expect(operation.security === undefined, "open to everybody").to.equal(!open.has(operationId));
      const statuses = Object.keys(operation.responses);
      const good = operationId === "followOrder" ? ["200", "204"] : [statuses[0]];
      expect(statuses.filter((status) => status.startsWith("2"))).to.deep.equal(good);
      if (!path.startsWith("/api")) return;
      const expected = ["429", "500", "503"];
      if (!open.has(operationId)) expected.push("401");
      if (operation.requestBody) expected.push("400", "413", "415");
      if (operation.parameters) expected.push("400");
      if (admin.test(operationId) || path.startsWith("/api/admin")) expected.push("403");
      if (operationId === "placeOrder") expected.push("404", "409", "422");
      if (
        /^(read(Order|Product|Latest|DeadLetter|ExportControl)|(replay|discard)DeadLetter)/.test(operationId)
      )
        expected.push("404");
      expect(statuses).to.include.members(expected);
    });
  }
});

describe("a request's example in the document", () => {
  const bodies = {
    Signup: signupBody,
    Login: loginBody,
    Product: productBody,
    Order: orderBody,
    Discard: discardBody,
  };
  for (const [name, schema] of Object.entries(bodies)) {
    it(`(${name}) is taken by the schema that a request is held against`, () => {
      const body = document.components["requestBodies"]?.[name] as {
        content: { "application/json": { example: unknown } };
      };
      const result = schema.validate(body.content["application/json"].example);
      expect(result.error).to.equal(undefined);
    });
  }
});
