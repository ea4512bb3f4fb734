import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Registry } from "prom-client";
import { createReadiness, type Check } from "../shared/readiness.ts";

const HEADERS_TIMEOUT_MS = 10_000;

/**
 * /healthz, /readyz and /metrics of a program that serves nothing else.
 * @param registry undefined: no /metrics
 */
export function createHealthServer(
  registry: Registry | undefined,
  checks: Readonly<Record<string, Check>>,
): Server {
  const readiness = createReadiness(checks);
  const server = createServer(
    { headersTimeout: HEADERS_TIMEOUT_MS, requestTimeout: HEADERS_TIMEOUT_MS },
    (req, res) => {
      answer(req, res).catch(() => {
        res.writeHead(500).end();
      });
    },
  );
  return server;

  async function answer(req: IncomingMessage, res: ServerResponse): Promise<void> {
    if (req.method !== "GET" && req.method !== "HEAD") {
      res.writeHead(405, { Allow: "GET, HEAD" }).end();
      return;
    }
    const { url } = req;
    if (url === "/healthz") {
      json(res, 200, { success: true, data: { status: "ok" } });
      return;
    }
    if (url === "/readyz") {
      const { ready, checks: results } = await readiness();
      json(res, ready ? 200 : 503, {
        success: ready,
        data: { status: ready ? "ready" : "not_ready", checks: results },
      });
      return;
    }
    if (url === "/metrics" && registry) {
      res.writeHead(200, { "Content-Type": registry.contentType }).end(await registry.metrics());
      return;
    }
    res.writeHead(404).end();
  }
}

function json(res: ServerResponse, status: number, body: object): void {
  res.writeHead(status, { "Content-Type": "application/json; charset=utf-8", "Cache-Control": "no-store" });
  res.end(JSON.stringify(body));
}
