import type Joi from "joi";
import { DomainError, type FieldError } from "../../shared/domain/errors.ts";

type Part = "body" | "path" | "query" | "header";

/** JSON pointer (RFC 6901) of a field: into the body, or under the part of the request that is not the body. */
const POINTER_PREFIX: Readonly<Record<Part, string>> = {
  body: "",
  path: "#/path",
  query: "#/query",
  header: "#/header",
};

/**
 * Reads untrusted input as T, without ever writing to it.
 * @throws DomainError validation_failed with every reason at once
 */
export function parse<T>(schema: Joi.ObjectSchema<T>, input: unknown, part: Part = "body"): T {
  // JSON can name it as a field of its own; an object that is copied would drop it, and so accept it.
  if (typeof input === "object" && input !== null && Object.hasOwn(input, "__proto__")) {
    throw refused([{ pointer: `${POINTER_PREFIX[part]}/__proto__`, detail: "is not allowed" }]);
  }
  const result = schema.validate(input);
  if (!result.error) return result.value;
  throw refused(
    reasons(schema, input).map(({ path, message }) => ({
      pointer: [POINTER_PREFIX[part], ...path.map(escaped)].join("/"),
      detail: message,
    })),
  );
}

/** A second look: Joi takes twice as long when it is given options, and most input is right. */
function reasons(schema: Joi.ObjectSchema, input: unknown): readonly Joi.ValidationErrorItem[] {
  const { error } = schema.validate(input, { abortEarly: false, errors: { wrap: { label: false } } });
  return error?.details ?? [];
}

/** Errors told of one request. */
const ERRORS_MAX = 20;

function refused(errors: readonly FieldError[]): DomainError {
  return new DomainError("validation_failed", "The request does not have the form this route expects.", {
    // One reason a field: two of one field say the same in other words.
    errors: [...new Map(errors.toReversed().map((error) => [error.pointer, error])).values()]
      .toReversed()
      .slice(0, ERRORS_MAX),
  });
}

const escaped = (segment: string | number): string =>
  String(segment).slice(0, 64).replaceAll("~", "~0").replaceAll("/", "~1");
