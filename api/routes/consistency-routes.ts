import { Router } from "express";
import type { ConsistencyController } from "../controllers/consistency-controller.ts";
import type { Guards } from "./guards.ts";
import { serve } from "./serve.ts";

export function consistencyRoutes(
  consistency: ConsistencyController,
  { authenticate, admin }: Guards,
): Router {
  const router = Router();
  /**
   * @openapi
   * /api/admin/consistency:
   *   get:
   *     operationId: checkConsistency
   *     tags: [Administration]
   *     summary: Check every invariant now, of one product or of all (administrators)
   *     description: >-
   *       The checks of `npm run verify`. What can only be judged when no order is under way is `unsettled` until then.
   *       One run at a time in each process; another caller hears `not_ready`.
   *     parameters:
   *       - { $ref: "#/components/parameters/CheckedProduct" }
   *     responses:
   *       200: { $ref: "#/components/responses/Consistency" }
   *       400: { $ref: "#/components/responses/BadRequest" }
   *       401: { $ref: "#/components/responses/Unauthenticated" }
   *       403: { $ref: "#/components/responses/Forbidden" }
   *       404: { $ref: "#/components/responses/NotFound" }
   *       429: { $ref: "#/components/responses/TooManyRequests" }
   *       500: { $ref: "#/components/responses/Internal" }
   *       503: { $ref: "#/components/responses/NotReady" }
   */
  serve(router, "/", { get: [authenticate, admin, consistency.check] });
  return router;
}
