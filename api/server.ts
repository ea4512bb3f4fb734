import { createServer, IncomingMessage, ServerResponse, type Server } from "node:http";
import type { Express } from "express";

const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 15_000;
/** Longer than a load balancer keeps its side: the one that closes first must not be us. */
const KEEP_ALIVE_TIMEOUT_MS = 65_000;
const HEADER_BYTES_MAX = 16 * 1024;
/** How often slow connections are looked for. */
const SLOW_CHECK_MS = 2_000;

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
  return server;
}

/**
 * Stops taking connections, lets requests under way finish, closes idle ones as they fall idle. Resolves when the last
 * is gone; the caller's deadline bounds it.
 */
export async function closeHttpServer(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve, reject) => {
    server.close((error) => {
      if (error) reject(error);
      else resolve();
    });
  });
  server.on("request", (_req, res) => {
    // A kept connection that asks once more is told that this was the last time.
    if (!res.headersSent) res.setHeader("Connection", "close");
  });
  const sweep = setInterval(() => {
    server.closeIdleConnections();
  }, 100);
  try {
    await closed;
  } finally {
    clearInterval(sweep);
  }
}
