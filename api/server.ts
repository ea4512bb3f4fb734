import { createServer, IncomingMessage, ServerResponse, type Server } from "node:http";
import { Server as NetServer } from "node:net";
import type { Express } from "express";
import { answerUnreadable } from "./middleware/error-handler.ts";

const HEADERS_TIMEOUT_MS = 10_000;
/** With the look for slow connections, a body has 15 s. */
const REQUEST_TIMEOUT_MS = 13_000;
/** Longer than a load balancer keeps its side: the one that closes first must not be us. */
const KEEP_ALIVE_TIMEOUT_MS = 65_000;
const HEADER_BYTES_MAX = 16 * 1024;
/** How often slow connections are looked for. */
const SLOW_CHECK_MS = 2_000;
/** At a stop: how long a kept connection may ask once more. A client in use asks sooner. */
const IDLE_GRACE_MS = 1_000;
/** Leaves the other releases 3 s of the 10 s that a stop may take (shared/lifecycle.ts). */
const CLOSE_DEADLINE_MS = 7_000;
const SWEEP_MS = 100;

/**
 * An HTTP server whose requests and answers are born with Express' prototypes. Express 5 sets them anew on each request,
 * which costs V8 its inline caches: a full POST takes twice the CPU.
 */
export function createHttpServer(app: Express): Server {
  class Req extends IncomingMessage {}
  class Res<R extends IncomingMessage = IncomingMessage> extends ServerResponse<R> {}
  Object.setPrototypeOf(Req.prototype, app.request);
  Object.setPrototypeOf(Res.prototype, app.response);
  app.request = Req.prototype as typeof app.request;
  app.response = Res.prototype as typeof app.response;
  const server = createServer(
    {
      IncomingMessage: Req,
      ServerResponse: Res,
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      connectionsCheckingInterval: SLOW_CHECK_MS,
      keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
      maxHeaderSize: HEADER_BYTES_MAX,
    },
    app,
  );
  server.on("clientError", answerUnreadable);
  return server;
}

/**
 * Stops taking connections, lets requests under way finish, and tells kept connections with their next answer that it
 * was the last. Those that ask nothing more are closed after IDLE_GRACE_MS, whatever is left after the deadline.
 */
export async function closeHttpServer(server: Server, deadlineMs = CLOSE_DEADLINE_MS): Promise<void> {
  // Before Express: some answers are sent at once.
  server.prependListener("request", (_req, res) => {
    res.setHeader("Connection", "close");
  });
  const closed = new Promise<void>((resolve, reject) => {
    // Only stops listening. http's own close() would close idle connections at this moment, and reset the requests
    // that are on their way on them: a client cannot know.
    NetServer.prototype.close.call(server, (error) => {
      if (error) reject(error);
      else resolve();
    });
  });
  const startedAt = performance.now();
  const sweep = setInterval(() => {
    const elapsedMs = performance.now() - startedAt;
    if (elapsedMs >= deadlineMs) server.closeAllConnections();
    else if (elapsedMs >= IDLE_GRACE_MS) server.closeIdleConnections();
  }, SWEEP_MS);
  try {
    await closed;
  } finally {
    clearInterval(sweep);
  }
}
