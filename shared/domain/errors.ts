/** Every way FlashPay can refuse a request (contract §1). Each program maps each code exactly once. */
export type ErrorCode =
  | "validation_failed"
  | "invalid_json"
  | "unauthenticated"
  | "forbidden"
  | "not_found"
  | "method_not_allowed"
  | "username_taken"
  | "email_taken"
  | "sold_out"
  | "sale_not_open"
  | "sale_closed"
  | "limit_exceeded"
  | "order_in_progress"
  | "payload_too_large"
  | "unsupported_media_type"
  | "idempotency_key_reused"
  | "dead_letter_handled"
  | "too_many_requests"
  | "not_ready"
  | "outcome_unknown"
  | "internal";

/** The order failed at once and nothing was taken; the client hears it as FAILED with this reason. */
export const REFUSALS = ["sold_out", "sale_not_open", "sale_closed", "limit_exceeded"] as const;
export type Refusal = (typeof REFUSALS)[number];
export const isRefusal = (code: string): code is Refusal => (REFUSALS as readonly string[]).includes(code);

export interface FieldError {
  /** JSON pointer (RFC 6901) into the body, or `#/query/limit`-like for other parts of a request. */
  readonly pointer: string;
  readonly detail: string;
}

export interface ErrorDetails {
  readonly errors?: readonly FieldError[];
  /** Seconds after which trying again makes sense. */
  readonly retryAfterS?: number;
  /** Methods a route does serve, with `method_not_allowed`. */
  readonly allow?: readonly string[];
  /** Set on an answer that repeats the first one given under the same Idempotency-Key. */
  readonly replayOf?: { readonly traceId: string };
}

/** A refusal the caller can understand. Anything else that is thrown is a bug. */
export class DomainError extends Error {
  override readonly name = "DomainError";
  readonly code: ErrorCode;
  readonly details: ErrorDetails;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.details = details;
  }
}
