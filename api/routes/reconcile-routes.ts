import { Router } from "express";
import type { ReconcileController } from "../controllers/reconcile-controller.ts";
import type { Guards } from "./guards.ts";
import { serve } from "./serve.ts";

export function reconcileRoutes(products: ReconcileController, { authenticate, admin }: Guards): Router {
  const router = Router();
  /**
   * @openapi
   * /api/admin/products/{id}/reconcile:
   *   post:
   *     operationId: reconcileProduct
   *     tags: [Administration]
   *     summary: Compare a product's counters with the database and mend them, audited (administrators)
   *     description: >-
   *       Ends the reservations of decided orders and gives back units that nobody holds and nobody bought. When Redis has
   *       forgotten orders (`shut`), the sale is closed until the worker has rebuilt its counters, which it does by itself.
   *     parameters:
   *       - { $ref: "#/components/parameters/ProductId" }
   *     responses:
   *       200: { $ref: "#/components/responses/Reconciled" }
   *       400: { $ref: "#/components/responses/BadRequest" }
   *       401: { $ref: "#/components/responses/Unauthenticated" }
   *       403: { $ref: "#/components/responses/Forbidden" }
   *       404: { $ref: "#/components/responses/NotFound" }
   *       429: { $ref: "#/components/responses/TooManyRequests" }
   *       500: { $ref: "#/components/responses/Internal" }
   *       503: { $ref: "#/components/responses/NotReady" }
   */
  serve(router, "/:id/reconcile", { post: [authenticate, admin, products.reconcile] });
  return router;
}
