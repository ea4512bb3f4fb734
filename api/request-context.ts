import { randomUUID } from "node:crypto";
import type { Request, RequestHandler } from "express";
import type { Principal } from "../shared/domain/user.ts";
import { DomainError } from "../shared/domain/errors.ts";
import type { Log } from "../shared/domain/ports.ts";
import { traceIdIn } from "../shared/domain/trace-context.ts";

/** What FlashPay hangs on a request: who asks, the trace it belongs to, the order it is about. */
interface Context {
  readonly traceId: string;
  /** The context that what this request causes is done in. */
  readonly traceparent: string;
  principal?: Principal;
  orderId?: string;
}

/** On the request itself: a WeakMap of all requests costs the garbage collector more. */
interface WithContext {
  flashpay?: Context;
}

function contextOf(req: Request & WithContext): Context {
  const own: WithContext = req;
  return (own.flashpay ??= newContext(traceparentGiven(req)));
}

function newContext(traceparent: string | undefined): Context {
  const given = traceparent && traceIdIn(traceparent);
  if (traceparent && given) return { traceId: given, traceparent };
  const traceId = newTraceId();
  // No span has this id. It is no row of zeros: a UUID's second half begins with its variant. Nobody records the trace: 00.
  return { traceId, traceparent: `00-${traceId}-${traceId.slice(16)}-00` };
}

/** The client's, if it is a valid one. */
export function traceparentGiven(req: Request): string | undefined {
  const given = req.headers["traceparent"];
  return typeof given === "string" && traceIdIn(given) ? given : undefined;
}

/** From here on the request is a part of this. */
export function continueTrace(req: Request & WithContext, traceparent: string): void {
  req.flashpay = { ...newContext(traceparent) };
}

/** 32 hex digits. Node keeps random bytes ready for UUIDs: a sixth of what randomBytes costs. */
export const newTraceId = (): string => randomUUID().replaceAll("-", "");

export const traceIdOf = (req: Request): string => contextOf(req).traceId;
export const traceparentOf = (req: Request): string => contextOf(req).traceparent;
export const orderIdOf = (req: Request): string | undefined => contextOf(req).orderId;

export function setPrincipal(req: Request, principal: Principal): void {
  contextOf(req).principal = principal;
}

/** @throws DomainError unauthenticated on a route without the `authenticate` guard's success */
export function principalOf(req: Request): Principal {
  const { principal } = contextOf(req);
  if (!principal) throw new DomainError("unauthenticated", "Sign in first.");
  return principal;
}

export function setOrderId(req: Request, orderId: string): void {
  contextOf(req).orderId = orderId;
}

/** One line per answered request; a client's mistake is no error of ours. */
export function requestLog(log: Log): RequestHandler {
  return (req, res, next) => {
    const startedAt = performance.now();
    res.once("close", () => {
      const { traceId, principal, orderId } = contextOf(req);
      log.info(
        {
          method: req.method,
          path: req.originalUrl.split("?", 1)[0],
          status: res.statusCode,
          ms: Math.round((performance.now() - startedAt) * 10) / 10,
          traceId,
          ...(principal && { userId: principal.userId }),
          ...(orderId && { orderId }),
          ...(!res.writableFinished && { aborted: true }),
        },
        "request",
      );
    });
    next();
  };
}
