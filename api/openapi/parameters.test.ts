import { expect } from "chai";
import { encodeCursor } from "../controllers/schemas.ts";
import { orderIdOf } from "../../shared/testing/samples.ts";
import { request } from "../../test/support/checked-request.ts";
import { createTestApp } from "../app.test.ts";
import { createDocument } from "./document.ts";
import { parameters } from "./parameters.ts";

interface Parameter {
  readonly name: string;
  readonly in: "path" | "query" | "header";
  readonly schema: {
    readonly type?: string;
    readonly enum?: readonly string[];
    readonly minimum?: number;
    readonly maximum?: number;
    readonly pattern?: string;
  };
}
interface Operation {
  readonly parameters?: readonly { readonly $ref: string }[];
}
type Method = "get" | "post" | "patch";

const document = createDocument() as unknown as {
  readonly paths: Readonly<Record<string, Readonly<Record<Method, Operation>>>>;
  readonly components: { readonly parameters: Readonly<Record<string, Parameter>> };
};
const operations = Object.entries(document.paths)
  .filter(([path]) => path.startsWith("/api/"))
  .flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { parameters: refs = [] }]) => ({
      ...{ path, method: method as Method },
      own: refs.flatMap(
        ({ $ref }) => document.components.parameters[$ref.replace("#/components/parameters/", "")] ?? [],
      ),
    })),
  );
const QUERY_NAMES = [
  ...new Set(operations.flatMap(({ own }) => own.filter((p) => p.in === "query").map(({ name }) => name))),
];

/** A value that is right wherever the name is known at all, unless an operation lists others. */
const VALUES: Readonly<Record<string, string>> = {
  ...{ limit: "5", from: "2027-01-01", to: "2027-01-02", partition: "0", target: "dead_letter:17" },
  ...{ productId: "1", userId: "1", orderId: orderIdOf(1), format: "csv", status: "parked" },
  cursor: encodeCursor(7),
};
const ORDER_CURSOR = encodeCursor([Date.UTC(2027, 0, 1), orderIdOf(1)]);

function valueOf({ schema, name }: Parameter, path: string): string {
  if (schema.enum) return schema.enum[0] ?? "";
  return name === "cursor" && path === "/api/orders" ? ORDER_CURSOR : (VALUES[name] ?? "");
}

/** Whether the request's own schema refuses this parameter, wherever else the request fails. */
async function refuses(
  scene: ReturnType<typeof createTestApp>,
  { path, method }: { readonly path: string; readonly method: Method },
  { name, in: place }: Pick<Parameter, "name" | "in">,
  value: string,
): Promise<boolean> {
  const filled = path.replace(/\{(\w+)\}/g, (_, named: string) => {
    if (place === "path" && named === name) return encodeURIComponent(value);
    return path.startsWith("/api/orders") || path.includes("exports") ? orderIdOf(1) : "1";
  });
  const query = place === "query" ? `?${name}=${encodeURIComponent(value)}` : "";
  const asking = request(scene.app)
    [method](`${filled}${query}`)
    .set("Authorization", scene.bearer(3, "admin"));
  if (place === "header") void asking.set(name, value);
  const answer = await (method === "get" ? asking : asking.send({ productId: 1 }));
  const { errors = [] } = answer.body as { errors?: { pointer: string }[] };
  return answer.status === 400 && errors.some(({ pointer }) => pointer === `#/${place}/${name}`);
}

describe("the parameters of the OpenAPI document", () => {
  it("are named by routes, each of them by one at least", () => {
    const named = new Set(JSON.stringify(document.paths).match(/parameters\/\w+/g) ?? []);
    expect(Object.keys(parameters).filter((name) => !named.has(`parameters/${name}`))).to.deep.equal([]);
  });

  for (const operation of operations) {
    const { method, path, own } = operation;
    it(`${method} ${path}: are those that it takes`, async () => {
      const scene = createTestApp();
      for (const name of QUERY_NAMES) {
        const documented = own.find((one) => one.in === "query" && one.name === name);
        const value = documented ? valueOf(documented, path) : (VALUES[name] ?? "");
        const refused = await refuses(scene, operation, { name, in: "query" }, value);
        expect(refused, name).to.equal(!documented);
      }
    });

    for (const one of own.filter(({ name }) => name !== "Last-Event-ID")) {
      it(`${method} ${path}: ${one.name} has the values and bounds that the document gives it`, async () => {
        const scene = createTestApp();
        const { minimum = 0, maximum = 0, enum: values, type, pattern } = one.schema;
        const bounds = type === "integer" ? [String(minimum), String(maximum)] : [];
        for (const good of [...bounds, ...(values ?? [])])
          expect(await refuses(scene, operation, one, good), good).to.equal(false);
        const outside = type === "integer" ? [String(minimum - 1), String(maximum + 1), "1e0"] : [];
        for (const bad of [...outside, ...(values || pattern ? ["no such value"] : [])])
          expect(await refuses(scene, operation, one, bad), bad).to.equal(true);
      });
    }
  }
});
