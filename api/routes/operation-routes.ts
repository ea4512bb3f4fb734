import { Router } from "express";
import type { OperationController } from "../controllers/operation-controller.ts";
import { serve } from "./serve.ts";

export interface OpenRoutes {
  readonly metrics: boolean;
}

export function operationRoutes(operation: OperationController, open: OpenRoutes): Router {
  const router = Router();
  /**
   * @openapi
   * /healthz:
   *   get:
   *     operationId: readHealth
   *     tags: [Operation]
   *     summary: Whether the process is alive
   *     description: "Says nothing of servers: a process that is alive is not started anew because one of them is away."
   *     security: []
   *     responses:
   *       200: { $ref: "#/components/responses/Health" }
   */
  serve(router, "/healthz", { get: [operation.alive] });
  /**
   * @openapi
   * /readyz:
   *   get:
   *     operationId: readReadiness
   *     tags: [Operation]
   *     summary: Whether orders can be taken, and what is away if not
   *     description: "`checks` holds one answer for each server; all must be good. A process that is stopping is not ready."
   *     security: []
   *     responses:
   *       200: { $ref: "#/components/responses/Health" }
   *       503: { $ref: "#/components/responses/NotReadyYet" }
   */
  serve(router, "/readyz", { get: [operation.ready] });
  if (!open.metrics) return router;
  /**
   * @openapi
   * /metrics:
   *   get:
   *     operationId: readMetrics
   *     tags: [Operation]
   *     summary: Metrics for Prometheus (when METRICS is on)
   *     description: Of this process alone, in the text format of Prometheus.
   *     security: []
   *     responses:
   *       200: { $ref: "#/components/responses/Metrics" }
   *       404: { $ref: "#/components/responses/NotFound" }
   */
  serve(router, "/metrics", { get: [operation.metrics] });
  return router;
}
