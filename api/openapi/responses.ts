import type { ErrorCode } from "../../shared/domain/errors.ts";
import { PROBLEMS } from "../middleware/error-handler.ts";

const ref = (kind: string, name: string) => ({ $ref: `#/components/${kind}/${name}` });

interface Answer {
  readonly description: string;
  readonly headers?: object;
  readonly content: object;
}

function answer(description: string, data: object, headers: object = {}): Answer {
  const schema = {
    type: "object",
    required: ["success", "data"],
    additionalProperties: false,
    properties: { success: { type: "boolean", enum: [true] }, data },
  };
  return { description, headers, content: { "application/json": { schema } } };
}

function pageOf(description: string, item: string): Answer {
  const schema = {
    type: "object",
    required: ["success", "data", "meta"],
    additionalProperties: false,
    properties: {
      success: { type: "boolean", enum: [true] },
      data: { type: "array", items: ref("schemas", item) },
      meta: ref("schemas", "Page"),
    },
  };
  return { description, content: { "application/json": { schema } } };
}

const csv = { "text/csv": { schema: { type: "string" } } };

/** The same as a file, for `?format=csv` or `Accept: text/csv`. */
function orCsv(json: Answer, fileName: string): Answer {
  const description = `${json.description} As CSV: ${fileName}`;
  return { ...json, description, content: { ...json.content, ...csv } };
}

const location = { Location: ref("headers", "Location") };
const retryAfter = { "Retry-After": ref("headers", "RetryAfter") };
const replayed = { "Idempotent-Replayed": ref("headers", "Replayed") };

export const successResponses = {
  UserCreated: answer("The account.", ref("schemas", "User"), location),
  User: answer("The account.", ref("schemas", "User")),
  Token: answer("The access token.", ref("schemas", "Token")),
  ProductCreated: answer("The sale.", ref("schemas", "Product"), location),
  Product: answer("The sale.", ref("schemas", "Product")),
  ProductPage: pageOf("Sales.", "Product"),
  OrderAccepted: answer("Taken; it will be decided.", ref("schemas", "AcceptedOrder"), {
    ...location,
    ...replayed,
  }),
  Order: answer("The order.", ref("schemas", "Order")),
  OrderPage: pageOf("Orders.", "Order"),
  OrderEvents: {
    description: "Events called `status`; the data of each is the order.",
    content: {
      "text/event-stream": {
        // OpenAPI 3.0 has no words for what is in a stream.
        schema: { type: "string", "x-event-data": ref("schemas", "Order") },
        example: 'event: status\nid: PENDING\ndata: {"orderId":"…","status":"PENDING"}\n\n',
      },
    },
  },
  LiveEvents: {
    description: "Events called `snapshot`; the data of each is a LiveSnapshot.",
    content: {
      "text/event-stream": {
        schema: { type: "string", "x-event-data": ref("schemas", "LiveSnapshot") },
        example: 'event: snapshot\nid: 1798794000000\ndata: {"at":"…","sales":[]}\n\n',
      },
    },
  },
  NothingNew: { description: "The order is decided, and Last-Event-ID says that its end was seen." },
  Settlement: answer("The settlement.", ref("schemas", "Settlement")),
  SettlementPage: orCsv(
    pageOf("Settlements.", "Settlement"),
    "settlements.csv; Link (rel=next) is its next page.",
  ),
  SettlementExport: {
    description: "The file; Link is its control sheet.",
    headers: { Link: ref("headers", "Link") },
    content: csv,
  },
  ControlSheet: answer("What must be found in the file.", ref("schemas", "ControlSheet")),
  DailySummary: orCsv(
    answer("A row a day, product and currency.", ref("schemas", "DailySummary")),
    "daily.csv.",
  ),
  Totals: answer(
    "One total a currency, exact with respect to the settlements that can be listed.",
    ref("schemas", "Totals"),
  ),
  DeadLetterPage: pageOf("Dead letters.", "DeadLetter"),
  DeadLetter: answer("The dead letter.", ref("schemas", "InspectedDeadLetter")),
  DeadLetterReplayed: answer("The log has the message again.", ref("schemas", "HandledDeadLetter")),
  DeadLetterDiscarded: answer("The dead letter is discarded.", ref("schemas", "HandledDeadLetter")),
  Reconciled: answer("How the counters stood, and stand.", ref("schemas", "Reconciled")),
  AuditPage: pageOf("Acts of administrators.", "AuditEntry"),
  Consistency: answer("What every check found.", ref("schemas", "Consistency")),
  Health: {
    description: "Alive, or ready.",
    content: { "application/json": { schema: ref("schemas", "Readiness") } },
  },
  NotReadyYet: {
    description: "Not ready; `checks` names what is away.",
    content: { "application/json": { schema: ref("schemas", "Readiness") } },
  },
  Metrics: {
    description: "Prometheus text format.",
    content: { "text/plain": { schema: { type: "string" } } },
  },
} as const;

/** One answer of each refusal; which code comes when is contract §1. */
function problem(
  codes: readonly [ErrorCode, ...ErrorCode[]],
  description: string,
  headers: object = {},
): object {
  const examples = Object.fromEntries(codes.map((code) => [code, { value: exampleOf(code) }]));
  return {
    description: `${description} Codes: ${codes.map((code) => `\`${code}\``).join(", ")}.`,
    headers,
    content: { "application/problem+json": { schema: ref("schemas", "Problem"), examples } },
  };
}

function exampleOf(code: ErrorCode): object {
  const { status, title } = PROBLEMS[code];
  return {
    success: false,
    type: `urn:flashpay:problem:${code}`,
    title,
    status,
    detail: `${title}.`,
    code,
    traceId: "4bf92f3577b34da6a3ce929d0e0e4736",
  };
}

export const errorResponses = {
  BadRequest: problem(["validation_failed", "invalid_json"], "Refused by its schema; nothing was changed."),
  Unauthenticated: problem(["unauthenticated"], "No valid token, or a wrong log-in.", {
    "WWW-Authenticate": ref("headers", "Bearer"),
  }),
  Forbidden: problem(["forbidden"], "Signed in, not allowed."),
  NotFound: problem(["not_found"], "No such thing, or somebody else's."),
  Taken: problem(["username_taken", "email_taken"], "In use."),
  OrderRefused: problem(
    ["sold_out", "sale_not_open", "sale_closed", "limit_exceeded", "order_in_progress"],
    "Nothing was taken.",
    { ...retryAfter, ...replayed },
  ),
  LetterHandled: problem(
    ["dead_letter_handled"],
    "Somebody was first; this act changed nothing, and is audited as `came_second`.",
  ),
  TooLarge: problem(["payload_too_large"], "The body is larger than 10 kB."),
  UnsupportedMediaType: problem(["unsupported_media_type"], "Not application/json in UTF-8."),
  KeyReused: problem(["idempotency_key_reused"], "The key belongs to another request."),
  TooManyRequests: problem(["too_many_requests"], "Slow down.", {
    ...retryAfter,
    "RateLimit-Policy": ref("headers", "RateLimitPolicy"),
    RateLimit: ref("headers", "RateLimit"),
  }),
  Internal: problem(["internal"], "A bug; it is logged under the traceId."),
  NotReady: problem(["not_ready"], "A dependency is away; nothing was changed.", retryAfter),
  OrderNotReady: problem(
    ["not_ready", "outcome_unknown"],
    "not_ready: nothing was taken. outcome_unknown: taken, not confirmed; the same key may be sent again.",
    retryAfter,
  ),
  ReplayNotReady: problem(
    ["not_ready", "outcome_unknown"],
    "not_ready: nothing was done. outcome_unknown: the log did not acknowledge; replaying again is harmless.",
    retryAfter,
  ),
} as const;
