import { Router } from "express";
import type { LiveController } from "../controllers/live-controller.ts";
import type { Guards } from "./guards.ts";
import { serve } from "./serve.ts";

export function liveRoutes(live: LiveController, { authenticate, admin }: Guards): Router {
  const router = Router();
  /**
   * @openapi
   * /api/admin/live:
   *   get:
   *     operationId: watchLive
   *     tags: [Administration]
   *     summary: Watch sales and orders live, as server-sent events (administrators)
   *     description: >-
   *       One `snapshot` a second, over all processes: the sales that are not over, or over since less than a day (the
   *       newest 100), what waits for its decision, dead letters, and how long orders waited for their answer. What a server
   *       that does not answer would know is null. The stream ends with the token that opened it; at most 5 for one
   *       administrator.
   *     responses:
   *       200: { $ref: "#/components/responses/LiveEvents" }
   *       400: { $ref: "#/components/responses/BadRequest" }
   *       401: { $ref: "#/components/responses/Unauthenticated" }
   *       403: { $ref: "#/components/responses/Forbidden" }
   *       429: { $ref: "#/components/responses/TooManyRequests" }
   *       500: { $ref: "#/components/responses/Internal" }
   *       503: { $ref: "#/components/responses/NotReady" }
   */
  serve(router, "/", { get: [authenticate, admin, live.watch] });
  return router;
}
