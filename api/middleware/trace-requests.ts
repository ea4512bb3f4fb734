import type { RequestHandler } from "express";
import type { Tracing } from "../../shared/domain/ports.ts";
import { continueTrace, orderIdOf, traceparentGiven } from "../request-context.ts";

/** A span for each request, named by its route; a client's mistake is no error of ours. */
export function traceRequests(tracing: Tracing): RequestHandler {
  return (req, res, next) => {
    const span = tracing.start(req.method, {
      kind: "server",
      parent: traceparentGiven(req),
      attributes: { "http.request.method": req.method, "url.path": req.path },
    });
    continueTrace(req, span.traceparent);
    res.once("close", () => {
      const route = req.route === undefined ? undefined : routeOf(req.originalUrl);
      const orderId = orderIdOf(req);
      span.end({
        ...(route !== undefined && { name: `${req.method} ${route}` }),
        attributes: {
          "http.response.status_code": res.statusCode,
          ...(route !== undefined && { "http.route": route }),
          ...(orderId !== undefined && { "flashpay.order.id": orderId }),
        },
        ...(res.statusCode >= 500 && { error: new Error(String(res.statusCode)) }),
      });
    });
    next();
  };
}

/** A router forgets its prefix when it hands an error on, so the route is told from the address: every id is {id}. */
function routeOf(url: string): string {
  const [path = ""] = url.split("?", 1);
  return path.replace(/\/(\d+|[\da-f]{8}-[\da-f-]{27})(?=\/|$)/gi, "/{id}");
}
