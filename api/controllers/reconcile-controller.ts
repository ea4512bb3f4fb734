import type { Request, Response } from "express";
import { principalOf, traceIdOf } from "../request-context.ts";
import type { ReconcileService } from "../services/reconcile-service.ts";
import { parse } from "./parse.ts";
import { reconciledBody, success } from "./present.ts";
import { noQuery, productPath } from "./schemas.ts";

export type ReconcileController = ReturnType<typeof createReconcileController>;

export function createReconcileController(service: ReconcileService) {
  return { reconcile };

  async function reconcile(req: Request, res: Response): Promise<void> {
    const { id } = parse(productPath, req.params, "path");
    parse(noQuery, req.query, "query");
    res.json(success(reconciledBody(await service.reconcile(principalOf(req), id, traceIdOf(req)))));
  }
}
