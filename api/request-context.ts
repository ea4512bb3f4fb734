import { randomUUID } from "node:crypto";
import type { Request, RequestHandler } from "express";
import type { Principal } from "../shared/domain/user.ts";
import { DomainError } from "../shared/domain/errors.ts";
import type { Log } from "../shared/domain/ports.ts";

/** What FlashPay hangs on a request: who asks, the trace it belongs to, the order it is about. */
interface Context {
  readonly traceId: string;
  principal?: Principal;
  orderId?: string;
}

/** On the request itself: a WeakMap of all requests costs the garbage collector more. */
interface WithContext {
  flashpay?: Context;
}

/** W3C Trace Context: version-traceid-parentid-flags; all zeros is no trace. */
const TRACEPARENT = /^[\da-f]{2}-(?!0{32})([\da-f]{32})-[\da-f]{16}-[\da-f]{2}$/;

function contextOf(req: Request & WithContext): Context {
  const own: WithContext = req;
  return (own.flashpay ??= { traceId: givenTraceId(req) ?? newTraceId() });
}

function givenTraceId(req: Request): string | undefined {
  const given = req.headers["traceparent"];
  return typeof given === "string" ? TRACEPARENT.exec(given)?.[1] : undefined;
}

/** 32 hex digits. Node keeps random bytes ready for UUIDs: a sixth of what randomBytes costs. */
export const newTraceId = (): string => randomUUID().replaceAll("-", "");

export const traceIdOf = (req: Request): string => contextOf(req).traceId;

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
