import type { Request, Response } from "express";
import type { Registry } from "prom-client";
import type { Readiness } from "../../shared/readiness.ts";

export type OperationController = ReturnType<typeof createOperationController>;

export function createOperationController(registry: Registry, readiness: () => Promise<Readiness>) {
  return {
    alive(_req: Request, res: Response): Promise<void> {
      res.set("Cache-Control", "no-store").json({ success: true, data: { status: "ok" } });
      return Promise.resolve();
    },
    async ready(_req: Request, res: Response): Promise<void> {
      const { ready, checks: results } = await readiness();
      const data = { status: ready ? "ready" : "not_ready", checks: results };
      res
        .status(ready ? 200 : 503)
        .set("Cache-Control", "no-store")
        .json({ success: ready, data });
    },
    async metrics(_req: Request, res: Response): Promise<void> {
      res.type(registry.contentType).send(await registry.metrics());
    },
  };
}
