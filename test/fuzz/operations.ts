import { createDocument } from "../../api/openapi/document.ts";

export interface Parameter {
  readonly name: string;
  readonly in: "path" | "query" | "header";
  readonly example?: unknown;
}

/** One operation of the OpenAPI document, as far as a request to it goes. */
export interface Operation {
  readonly id: string;
  readonly method: string;
  readonly path: string;
  readonly parameters: readonly Parameter[];
  /** A body that it takes; undefined: it takes none. */
  readonly body: Readonly<Record<string, unknown>> | undefined;
}

interface Reference {
  readonly $ref?: string;
}
interface Described {
  readonly operationId: string;
  readonly parameters?: readonly Reference[];
  readonly requestBody?: Reference;
}

/** A stream without an end is no answer that one could wait for; its own specs have it. */
const ENDLESS = "/api/admin/live";

/** Every other operation that the document describes, its references followed. */
export function operationsOf(): Operation[] {
  const document = createDocument();
  const follow = ({ $ref }: Reference): unknown =>
    ($ref ?? "")
      .split("/")
      .slice(1)
      .reduce<unknown>((node, key) => (node as Readonly<Record<string, unknown>>)[key], document);
  const exampleOf = (reference: Reference) => {
    const { content } = follow(reference) as {
      content: { "application/json": { example: Readonly<Record<string, unknown>> } };
    };
    return content["application/json"].example;
  };
  const paths = Object.entries(document.paths).filter(([path]) => path !== ENDLESS);
  return paths.flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, described]) => {
      const { operationId, parameters = [], requestBody } = described as Described;
      return {
        ...{ id: operationId, method: method.toUpperCase(), path },
        parameters: parameters.map((parameter) => follow(parameter) as Parameter),
        body: requestBody && exampleOf(requestBody),
      };
    }),
  );
}
