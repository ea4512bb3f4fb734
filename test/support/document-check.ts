import { Ajv, type ValidateFunction } from "ajv";
import addFormats from "ajv-formats";
import { createDocument } from "../../api/openapi/document.ts";

export interface Asked {
  readonly method: string;
  readonly path: string;
}
export interface Heard {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}
interface Media {
  readonly schema?: { readonly "x-event-data"?: { readonly $ref: string } };
}
interface Response {
  readonly $ref?: string;
  readonly content?: Readonly<Record<string, Media>>;
}
interface Operation {
  readonly responses: Readonly<Record<string, Response>>;
}
type PathItem = Readonly<Record<string, Operation>>;

/** What the server's parser says to what is no request comes before any route. */
const BEFORE_ROUTES = new Set([408, 431]);
const DOCUMENT = "document";
const EVENT_STREAM = "text/event-stream";
const RESPONSES = "#/components/responses/";

/**
 * One sentence on how an answer departs from the OpenAPI document: by its status, its content type or its body. Undefined when
 * it fits, and for what the document does not speak of: other addresses, and methods that an address does not serve.
 */
export function misfitOf({ method, path }: Asked, heard: Heard): string | undefined {
  const { paths, bodyProblem, contentOf } = (known ??= readDocument());
  const found = paths.find(({ pattern }) => pattern.test(path.split(/[?#]/)[0] ?? ""));
  const asked = method.toLowerCase();
  const head = asked === "head";
  const operation = found?.item[head ? "get" : asked];
  if (!found || !operation || BEFORE_ROUTES.has(heard.status)) return undefined;

  const { status, headers, text } = heard;
  const name = `${method.toUpperCase()} ${found.path} ${status}`;
  const content = contentOf(operation, status);
  if (!content) return `${name}: no such status in the document`;
  const type = String(headers["content-type"] ?? "").split(";")[0] ?? "";
  if (content.types.length === 0)
    return text === "" ? undefined : `${name}: a body, and the document has none`;
  if (!content.types.includes(type)) return `${name}: content type "${type}" is not in the document`;
  if (type === EVENT_STREAM)
    return dataIn(text)
      .map((data) => eventMisfitOf(path, data))
      .find((misfit) => misfit !== undefined);
  if (head || !type.endsWith("json")) return undefined;
  const problem = bodyProblem(`${content.pointer}/content/${escaped(type)}/schema`, text);
  return problem === undefined ? undefined : `${name}: ${problem}`;
}

/**
 * The same of one event's data on a stream (GET): OpenAPI 3.0 has no words for what is in one, so the document names its schema
 * as `x-event-data`.
 */
export function eventMisfitOf(path: string, data: string): string | undefined {
  const { paths, bodyProblem, contentOf } = (known ??= readDocument());
  const found = paths.find(({ pattern }) => pattern.test(path.split(/[?#]/)[0] ?? ""));
  const operation = found?.item["get"];
  if (!found || !operation) return `${path}: no such address in the document`;
  const name = `an event of GET ${found.path}`;
  const schema = contentOf(operation, 200)?.eventData;
  if (schema === undefined) return `${name}: the document does not say what its data is`;
  const problem = bodyProblem(schema, data);
  return problem === undefined ? undefined : `${name}: ${problem}`;
}

const dataIn = (text: string): string[] => [...text.matchAll(/^data: ?(.*)$/gm)].map(([, data = ""]) => data);

let known: ReturnType<typeof readDocument> | undefined;

/** Once a process; each body's schema is compiled when it is first met. */
function readDocument() {
  const document = createDocument();
  // An OpenAPI document is no schema, and says more in its schemas than JSON Schema knows (example).
  const ajv = new Ajv({ strict: false, validateSchema: false });
  addFormats.default(ajv);
  ajv.addSchema(document, DOCUMENT);
  const compiled = new Map<string, ValidateFunction>();
  const shared = (document as { components?: { responses?: PathItem["get"]["responses"] } }).components
    ?.responses;
  const paths = Object.entries(document.paths as Readonly<Record<string, PathItem>>)
    // "/latest" is met before "/{id}".
    .sort(([a], [b]) => Number(a.includes("{")) - Number(b.includes("{")))
    .map(([path, item]) => ({ path, item, pattern: patternOf(path) }));
  return { paths, contentOf, bodyProblem };

  /** Undefined when the operation has no such status. */
  function contentOf({ responses }: Operation, status: number) {
    const { $ref } = responses[status] ?? {};
    // Only what answers without a body stands on its route.
    if ($ref === undefined)
      return responses[status] && { pointer: "", types: [] as string[], eventData: undefined };
    const { content = {} } = shared?.[$ref.slice(RESPONSES.length)] ?? {};
    const eventData = content[EVENT_STREAM]?.schema?.["x-event-data"]?.$ref;
    return { pointer: $ref, types: Object.keys(content), eventData };
  }

  function bodyProblem(pointer: string, text: string): string | undefined {
    const validate = compiled.get(pointer) ?? ajv.compile({ $ref: `${DOCUMENT}${pointer}` });
    compiled.set(pointer, validate);
    try {
      return validate(JSON.parse(text)) ? undefined : ajv.errorsText(validate.errors, { dataVar: "body" });
    } catch {
      return "the body is not JSON";
    }
  }
}

/** As the router takes addresses: whatever the case, with or without a slash at the end. */
const patternOf = (path: string): RegExp => new RegExp(`^${path.replace(/\{\w+\}/g, "[^/]+")}/?$`, "i");

/** RFC 6901 */
const escaped = (key: string): string => key.replaceAll("~", "~0").replaceAll("/", "~1");
