import cors from "cors";
import type { RequestHandler } from "express";

/** What routes/serve.ts can serve. */
const METHODS = ["GET", "HEAD", "PATCH", "POST"];
const ALLOWED_HEADERS = ["Authorization", "Content-Type", "Idempotency-Key", "Last-Event-ID", "traceparent"];
const EXPOSED_HEADERS = ["Location", "Retry-After", "RateLimit", "RateLimit-Policy", "Idempotent-Replayed"];
/** Two hours: browsers keep an answer to a preflight no longer. */
const MAX_AGE_S = 7_200;

/**
 * Lets pages of these origins call the API (Fetch standard, "CORS protocol"). No credentials: tokens travel in
 * Authorization, and there are no cookies. Others' pages hear the same answers without the headers that would let them
 * read these. A preflight is answered here with 204, whatever its address, and is not counted: a refusal would cost as
 * much, and count each order of a page twice.
 */
export function allowOrigins(origins: readonly string[]): RequestHandler {
  const allowed = new Set(origins);
  const grant = cors({
    ...{ origin: [...origins], methods: METHODS, maxAge: MAX_AGE_S, preflightContinue: true },
    ...{ allowedHeaders: ALLOWED_HEADERS, exposedHeaders: EXPOSED_HEADERS },
  });
  return (req, res, next) => {
    const { origin, "access-control-request-method": asked } = req.headers;
    const isPreflight = req.method === "OPTIONS" && origin !== undefined && asked !== undefined;
    const goOn = isPreflight ? () => void res.status(204).end() : next;
    if (origin !== undefined && allowed.has(origin)) {
      grant(req, res, goOn);
      return;
    }
    // A cache may not hand this answer to a page of an origin that is allowed.
    res.vary("Origin");
    goOn();
  };
}
