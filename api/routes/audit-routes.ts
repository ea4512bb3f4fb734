import { Router } from "express";
import type { AuditController } from "../controllers/audit-controller.ts";
import type { Guards } from "./guards.ts";
import { serve } from "./serve.ts";

export function auditRoutes(audit: AuditController, { authenticate, admin }: Guards): Router {
  const router = Router();
  /**
   * @openapi
   * /api/admin/audit:
   *   get:
   *     operationId: listAudit
   *     tags: [Administration]
   *     summary: List what administrators did, newest first (administrators)
   *     description: Who, when, what, to what, how it ended, and how the target stood before and after.
   *     parameters:
   *       - { $ref: "#/components/parameters/Limit" }
   *       - { $ref: "#/components/parameters/Cursor" }
   *       - { $ref: "#/components/parameters/AuditTarget" }
   *     responses:
   *       200: { $ref: "#/components/responses/AuditPage" }
   *       400: { $ref: "#/components/responses/BadRequest" }
   *       401: { $ref: "#/components/responses/Unauthenticated" }
   *       403: { $ref: "#/components/responses/Forbidden" }
   *       429: { $ref: "#/components/responses/TooManyRequests" }
   *       500: { $ref: "#/components/responses/Internal" }
   *       503: { $ref: "#/components/responses/NotReady" }
   */
  serve(router, "/", { get: [authenticate, admin, audit.list] });
  return router;
}
