import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Registry } from "prom-client";
import { readiness, type Check } from "../shared/readiness.ts";

const HEADERS_TIMEOUT_MS = 10_000;

/** /healthz, /readyz and /metrics of a program that serves nothing else. */
export function createHealthServer(registry: Registry, checks: Readonly<Record<string, Check>>): Server {
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
    switch (req.url) {
      case "/healthz":
        json(res, 200, { success: true, data: { status: "ok" } });
        return;
      case "/readyz": {
        const { ready, checks: results } = await readiness(checks);
        json(res, ready ? 200 : 503, {
          success: ready,
          data: { status: ready ? "ready" : "not_ready", checks: results },
        });
        return;
      }
      case "/metrics":
        res.writeHead(200, { "Content-Type": registry.contentType }).end(await registry.metrics());
        return;
      default:
        res.writeHead(404).end();
    }
  }
}

function json(res: ServerResponse, status: number, body: object): void {
  res.writeHead(status, { "Content-Type": "application/json; charset=utf-8", "Cache-Control": "no-store" });
  res.end(JSON.stringify(body));
}
