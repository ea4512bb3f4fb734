import { DomainError, type ErrorCode } from "../shared/domain/errors.ts";

/**
 * What the worker does about a batch that could not be decided. "retry": leave the offsets where they are, wait, try
 * the same batch again, for ever. "park": a row was refused for what it says; find it by halving, copy it to the dead
 * letters, go on. An error that is not ours is never a reason to park: parking is for data, not for outages.
 */
export type FailureAction = "retry" | "park";

const ACTIONS: Record<ErrorCode, FailureAction> = {
  validation_failed: "park",
  invalid_json: "park",
  unauthenticated: "retry",
  forbidden: "retry",
  not_found: "park",
  method_not_allowed: "retry",
  username_taken: "retry",
  email_taken: "retry",
  sold_out: "park",
  sale_not_open: "park",
  sale_closed: "park",
  limit_exceeded: "park",
  order_in_progress: "retry",
  payload_too_large: "park",
  unsupported_media_type: "park",
  idempotency_key_reused: "park",
  dead_letter_handled: "retry",
  too_many_requests: "retry",
  not_ready: "retry",
  outcome_unknown: "retry",
  internal: "retry",
};

export const failureAction = (error: unknown): FailureAction =>
  error instanceof DomainError ? ACTIONS[error.code] : "retry";
