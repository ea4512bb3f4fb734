import { createHash } from "node:crypto";
import converter from "openapi-to-postmanv2";
import type { OpenApiDocument } from "../../api/openapi/document.ts";

export interface Item {
  readonly name: string;
  readonly [field: string]: unknown;
}

export interface Collection {
  readonly info: { readonly name: string; readonly schema: string; readonly [field: string]: unknown };
  readonly item: readonly Item[];
  readonly [field: string]: unknown;
}

const OPTIONS = {
  folderStrategy: "Tags",
  requestNameSource: "Fallback",
  parametersResolution: "Example",
  includeAuthInfoInExample: false,
};
/** Any id will do where the document shows none: the converter would make up a new one each time. */
const EXAMPLE_UUID = "019a0b6c-7b1e-7c3a-9f52-6d8a3c1e4b70";
const PLACEHOLDER = "example";

/** The OpenAPI document as a Postman collection, the same text whenever the document is the same. */
export async function toCollection(document: OpenApiDocument): Promise<Collection> {
  const data = withExamples(structuredClone(document));
  const collection = await new Promise<unknown>((resolve, reject) => {
    converter.convertV2({ type: "json", data }, OPTIONS, (error, conversion) => {
      if (error) reject(error);
      else if (conversion.result) resolve(conversion.output[0]?.data);
      else reject(new Error(conversion.reason));
    });
  });
  return withSteadyIds(withUsableRequests(JSON.parse(JSON.stringify(collection)))) as Collection;
}

/** An id of Postman's form that follows from what it names. */
export function idOf(name: string): string {
  const hex = createHash("sha256").update(`flashpay ${name}`).digest("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-5${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

/** Gives every schema that has none an example: what has one is not made up at random. */
function withExamples(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withExamples);
  if (!isRecord(value)) return value;
  const copy = Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, withExamples(inner)]));
  const example = exampleOf(copy);
  return example === undefined ? copy : { ...copy, example };
}

function exampleOf(schema: Readonly<Record<string, unknown>>): unknown {
  if ("example" in schema || "default" in schema) return undefined;
  if (Array.isArray(schema["enum"])) return schema["enum"][0];
  if (schema["format"] === "uuid") return EXAMPLE_UUID;
  if (schema["type"] === "integer") return schema["minimum"] ?? 1;
  if (schema["type"] === "boolean") return true;
  const rest = schema["additionalProperties"];
  if (isRecord(rest)) return { [PLACEHOLDER]: rest["example"] };
  return schema["type"] === "string" && schema["format"] === undefined ? PLACEHOLDER : undefined;
}

/** What a person sends as it stands: optional query parameters are there to be switched on, a key is a new one each time. */
function withUsableRequests(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withUsableRequests);
  if (!isRecord(value)) return value;
  const copy = Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key, withUsableRequests(inner)]),
  );
  if (copy["key"] === "Idempotency-Key") return { ...copy, value: "{{$guid}}" };
  const query = copy["query"];
  return Array.isArray(query) ? { ...copy, query: query.map(switchedOff) } : copy;
}

function switchedOff(parameter: unknown): unknown {
  if (!isRecord(parameter)) return parameter;
  const value = parameter["value"] === PLACEHOLDER ? "" : parameter["value"];
  return { ...parameter, value, disabled: true };
}

/** Replaces each random id by one that follows from the names on the way to it. */
function withSteadyIds(value: unknown, path = ""): unknown {
  if (Array.isArray(value)) return value.map((inner, i) => withSteadyIds(inner, `${path}/${i}`));
  if (!isRecord(value)) return value;
  const here = typeof value["name"] === "string" ? `${path}/${value["name"]}` : path;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => {
      const random = (key === "id" || key === "_postman_id") && typeof inner === "string";
      return [key, random ? idOf(here) : withSteadyIds(inner, `${here}/${key}`)];
    }),
  );
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
