import type { Duplex } from "node:stream";
import type { ErrorRequestHandler, Request, RequestHandler, Response } from "express";
import { DomainError, isRefusal, type ErrorCode } from "../../shared/domain/errors.ts";
import type { Log } from "../../shared/domain/ports.ts";
import { newTraceId, traceIdOf } from "../request-context.ts";

/** Contract §1. Adding an ErrorCode without a row here does not compile. */
export const PROBLEMS: Readonly<Record<ErrorCode, { readonly status: number; readonly title: string }>> = {
  validation_failed: { status: 400, title: "The request is not valid" },
  invalid_json: { status: 400, title: "The body is not JSON" },
  unauthenticated: { status: 401, title: "Authentication is required" },
  forbidden: { status: 403, title: "Not allowed" },
  not_found: { status: 404, title: "Not found" },
  method_not_allowed: { status: 405, title: "Method not allowed" },
  username_taken: { status: 409, title: "User name taken" },
  email_taken: { status: 409, title: "E-mail taken" },
  sold_out: { status: 409, title: "Sold out" },
  sale_not_open: { status: 409, title: "Sale not open" },
  sale_closed: { status: 409, title: "Sale closed" },
  limit_exceeded: { status: 409, title: "Limit exceeded" },
  order_in_progress: { status: 409, title: "Order in progress" },
  dead_letter_handled: { status: 409, title: "Dead letter handled" },
  payload_too_large: { status: 413, title: "Body too large" },
  unsupported_media_type: { status: 415, title: "Unsupported media type" },
  idempotency_key_reused: { status: 422, title: "Idempotency-Key reused" },
  too_many_requests: { status: 429, title: "Too many requests" },
  not_ready: { status: 503, title: "Not ready" },
  outcome_unknown: { status: 503, title: "Outcome unknown" },
  internal: { status: 500, title: "Internal error" },
};

/** The only writer of error bodies (RFC 9457, with `success: false` and, for a refused order, `data`). */
export function errorHandler(log: Log): ErrorRequestHandler {
  return (error: unknown, req, res, next) => {
    const refused = toDomainError(error);
    if (refused.code === "internal") {
      log.error({ err: error, traceId: traceIdOf(req), path: req.path }, "request failed: a bug");
    } else if (refused.cause !== undefined) {
      log.warn({ err: refused.cause, code: refused.code, traceId: traceIdOf(req) }, refused.message);
    }
    if (res.headersSent) {
      next(error);
      return;
    }
    if (req.complete) {
      writeProblem(req, res, refused);
      return;
    }
    // The parser is not through with what came: if the rest is no HTTP, that is the answer, and the connection ends.
    setImmediate(() => {
      if (!res.headersSent) writeProblem(req, res, refused);
    });
  };
}

function writeProblem(req: Request, res: Response, { code, message, details }: DomainError): void {
  const { status, title } = PROBLEMS[code];
  const { errors, retryAfterS, allow, replayOf } = details;
  if (code === "unauthenticated") res.set("WWW-Authenticate", "Bearer");
  if (retryAfterS !== undefined) res.set("Retry-After", String(retryAfterS));
  if (allow) res.set("Allow", allow.join(", "));
  if (replayOf) res.set("Idempotent-Replayed", "true");
  res
    .status(status)
    .type("application/problem+json")
    .send(
      JSON.stringify({
        ...problem(code, message, replayOf?.traceId ?? traceIdOf(req), { status, title }),
        ...(errors && { errors }),
        ...(isRefusal(code) && { data: { status: "FAILED", reason: code } }),
      }),
    );
}

function problem(
  code: ErrorCode,
  detail: string,
  traceId: string,
  { status, title } = PROBLEMS[code],
): object {
  return { success: false, type: `urn:flashpay:problem:${code}`, title, status, detail, code, traceId };
}

/** By the code of node's HTTP parser; everything else it refuses is a 400. */
const UNREADABLE: Readonly<Record<string, { readonly status: number; readonly title: string }>> = {
  HPE_HEADER_OVERFLOW: { status: 431, title: "Request Header Fields Too Large" },
  ERR_HTTP_REQUEST_TIMEOUT: { status: 408, title: "Request Timeout" },
};

/** Answers what is no HTTP request (`clientError`): no request, hence no Express; the connection ends with it. */
export function answerUnreadable(error: Error & { code?: string }, socket: Duplex): void {
  if (error.code === "ECONNRESET" || !socket.writable) {
    socket.destroy();
    return;
  }
  const { status, title } = UNREADABLE[error.code ?? ""] ?? { status: 400, title: "Bad Request" };
  const detail = "This is not a request that can be read.";
  const body = JSON.stringify(problem("validation_failed", detail, newTraceId(), { status, title }));
  const head = `HTTP/1.1 ${status} ${title}\r\nConnection: close\r\nContent-Type: application/problem+json\r\n`;
  socket.end(`${head}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
}

/** Express, body-parser and the router name their refusals by status and type; anything unknown is a bug. */
function toDomainError(error: unknown): DomainError {
  if (error instanceof DomainError) return error;
  const { status, type } = (error ?? {}) as { status?: unknown; type?: unknown };
  if (status === 413) return new DomainError("payload_too_large", "The body is larger than 10 kB.");
  if (status === 415)
    return new DomainError("unsupported_media_type", "The body's encoding is not supported.");
  if (type === "entity.parse.failed") return new DomainError("invalid_json", "The body is not valid JSON.");
  if (typeof status === "number" && status >= 400 && status < 500) {
    return new DomainError("validation_failed", "The request could not be read.");
  }
  return new DomainError("internal", "Something went wrong on our side. It has been recorded.");
}

export const notFound: RequestHandler = () => {
  throw new DomainError("not_found", "There is nothing at this address.");
};
