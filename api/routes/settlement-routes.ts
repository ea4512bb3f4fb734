import { Router } from "express";
import type { ReportController } from "../controllers/report-controller.ts";
import type { SettlementController } from "../controllers/settlement-controller.ts";
import type { Guards } from "./guards.ts";
import { serve } from "./serve.ts";

export function settlementRoutes(
  settlements: SettlementController,
  reports: ReportController,
  { authenticate, admin }: Guards,
): Router {
  const router = Router();
  /**
   * @openapi
   * /api/settlements:
   *   get:
   *     operationId: listSettlements
   *     tags: [Settlements]
   *     summary: "List settlements, newest first (a user: the own; an administrator: all)"
   *     description: What was charged, one for each order that succeeded. meta.nextCursor leads to the next page.
   *     parameters:
   *       - { $ref: "#/components/parameters/Limit" }
   *       - { $ref: "#/components/parameters/Cursor" }
   *       - { $ref: "#/components/parameters/From" }
   *       - { $ref: "#/components/parameters/To" }
   *       - { $ref: "#/components/parameters/SettledProduct" }
   *       - { $ref: "#/components/parameters/SettledUser" }
   *       - { $ref: "#/components/parameters/Format" }
   *     responses:
   *       200: { $ref: "#/components/responses/SettlementPage" }
   *       400: { $ref: "#/components/responses/BadRequest" }
   *       401: { $ref: "#/components/responses/Unauthenticated" }
   *       429: { $ref: "#/components/responses/TooManyRequests" }
   *       500: { $ref: "#/components/responses/Internal" }
   *       503: { $ref: "#/components/responses/NotReady" }
   */
  serve(router, "/", { get: [authenticate, settlements.list] });
  /**
   * @openapi
   * /api/settlements/latest:
   *   get:
   *     operationId: readLatestSettlement
   *     tags: [Settlements]
   *     summary: "Read the newest settlement (a user: the own; an administrator: of all)"
   *     description: 404 when there is none.
   *     responses:
   *       200: { $ref: "#/components/responses/Settlement" }
   *       400: { $ref: "#/components/responses/BadRequest" }
   *       401: { $ref: "#/components/responses/Unauthenticated" }
   *       404: { $ref: "#/components/responses/NotFound" }
   *       429: { $ref: "#/components/responses/TooManyRequests" }
   *       500: { $ref: "#/components/responses/Internal" }
   *       503: { $ref: "#/components/responses/NotReady" }
   */
  serve(router, "/latest", { get: [authenticate, settlements.latest] });
  /**
   * @openapi
   * /api/settlements/total:
   *   get:
   *     operationId: readTotal
   *     tags: [Settlements]
   *     summary: "Read the totals, one a currency (a user: the own; an administrator: of all)"
   *     description: Count and sum of the settlements that the reader can list; no total at all when there are none.
   *     responses:
   *       200: { $ref: "#/components/responses/Totals" }
   *       400: { $ref: "#/components/responses/BadRequest" }
   *       401: { $ref: "#/components/responses/Unauthenticated" }
   *       429: { $ref: "#/components/responses/TooManyRequests" }
   *       500: { $ref: "#/components/responses/Internal" }
   *       503: { $ref: "#/components/responses/NotReady" }
   */
  serve(router, "/total", { get: [authenticate, settlements.total] });
  /**
   * @openapi
   * /api/settlements/users/{userId}:
   *   get:
   *     operationId: listSettlementsOfUser
   *     tags: [Settlements]
   *     summary: List a user's settlements, newest first (that user, administrators)
   *     description: Another user's are not found. meta.nextCursor leads to the next page.
   *     parameters:
   *       - { $ref: "#/components/parameters/UserId" }
   *       - { $ref: "#/components/parameters/Limit" }
   *       - { $ref: "#/components/parameters/Cursor" }
   *       - { $ref: "#/components/parameters/From" }
   *       - { $ref: "#/components/parameters/To" }
   *       - { $ref: "#/components/parameters/SettledProduct" }
   *       - { $ref: "#/components/parameters/Format" }
   *     responses:
   *       200: { $ref: "#/components/responses/SettlementPage" }
   *       400: { $ref: "#/components/responses/BadRequest" }
   *       401: { $ref: "#/components/responses/Unauthenticated" }
   *       404: { $ref: "#/components/responses/NotFound" }
   *       429: { $ref: "#/components/responses/TooManyRequests" }
   *       500: { $ref: "#/components/responses/Internal" }
   *       503: { $ref: "#/components/responses/NotReady" }
   */
  serve(router, "/users/:userId", { get: [authenticate, settlements.listOfUser] });
  /**
   * @openapi
   * /api/settlements/users/{userId}/total:
   *   get:
   *     operationId: readTotalOfUser
   *     tags: [Settlements]
   *     summary: Read a user's totals, one a currency (that user, administrators)
   *     description: Count and sum of the user's settlements; no total at all when there are none.
   *     parameters:
   *       - { $ref: "#/components/parameters/UserId" }
   *     responses:
   *       200: { $ref: "#/components/responses/Totals" }
   *       400: { $ref: "#/components/responses/BadRequest" }
   *       401: { $ref: "#/components/responses/Unauthenticated" }
   *       404: { $ref: "#/components/responses/NotFound" }
   *       429: { $ref: "#/components/responses/TooManyRequests" }
   *       500: { $ref: "#/components/responses/Internal" }
   *       503: { $ref: "#/components/responses/NotReady" }
   */
  serve(router, "/users/:userId/total", { get: [authenticate, settlements.totalOfUser] });
  /**
   * @openapi
   * /api/settlements/users/{userId}/latest:
   *   get:
   *     operationId: readLatestSettlementOfUser
   *     tags: [Settlements]
   *     summary: Read a user's newest settlement (that user, administrators)
   *     description: 404 when there is none, or the user is another one.
   *     parameters:
   *       - { $ref: "#/components/parameters/UserId" }
   *     responses:
   *       200: { $ref: "#/components/responses/Settlement" }
   *       400: { $ref: "#/components/responses/BadRequest" }
   *       401: { $ref: "#/components/responses/Unauthenticated" }
   *       404: { $ref: "#/components/responses/NotFound" }
   *       429: { $ref: "#/components/responses/TooManyRequests" }
   *       500: { $ref: "#/components/responses/Internal" }
   *       503: { $ref: "#/components/responses/NotReady" }
   */
  serve(router, "/users/:userId/latest", { get: [authenticate, settlements.latestOfUser] });
  /**
   * @openapi
   * /api/settlements/products/{productId}:
   *   get:
   *     operationId: listSettlementsOfProduct
   *     tags: [Settlements]
   *     summary: List a product's settlements, newest first (administrators)
   *     description: What this sale has brought. meta.nextCursor leads to the next page.
   *     parameters:
   *       - { $ref: "#/components/parameters/SettledProductId" }
   *       - { $ref: "#/components/parameters/Limit" }
   *       - { $ref: "#/components/parameters/Cursor" }
   *       - { $ref: "#/components/parameters/From" }
   *       - { $ref: "#/components/parameters/To" }
   *       - { $ref: "#/components/parameters/SettledUser" }
   *       - { $ref: "#/components/parameters/Format" }
   *     responses:
   *       200: { $ref: "#/components/responses/SettlementPage" }
   *       400: { $ref: "#/components/responses/BadRequest" }
   *       401: { $ref: "#/components/responses/Unauthenticated" }
   *       403: { $ref: "#/components/responses/Forbidden" }
   *       429: { $ref: "#/components/responses/TooManyRequests" }
   *       500: { $ref: "#/components/responses/Internal" }
   *       503: { $ref: "#/components/responses/NotReady" }
   */
  serve(router, "/products/:productId", { get: [authenticate, admin, settlements.listOfProduct] });
  /**
   * @openapi
   * /api/settlements/products/{productId}/total:
   *   get:
   *     operationId: readTotalOfProduct
   *     tags: [Settlements]
   *     summary: Read a product's totals, one a currency (administrators)
   *     description: Count and sum of the product's settlements; no total at all when there are none.
   *     parameters:
   *       - { $ref: "#/components/parameters/SettledProductId" }
   *     responses:
   *       200: { $ref: "#/components/responses/Totals" }
   *       400: { $ref: "#/components/responses/BadRequest" }
   *       401: { $ref: "#/components/responses/Unauthenticated" }
   *       403: { $ref: "#/components/responses/Forbidden" }
   *       429: { $ref: "#/components/responses/TooManyRequests" }
   *       500: { $ref: "#/components/responses/Internal" }
   *       503: { $ref: "#/components/responses/NotReady" }
   */
  serve(router, "/products/:productId/total", { get: [authenticate, admin, settlements.totalOfProduct] });
  /**
   * @openapi
   * /api/settlements/products/{productId}/latest:
   *   get:
   *     operationId: readLatestSettlementOfProduct
   *     tags: [Settlements]
   *     summary: Read a product's newest settlement (administrators)
   *     description: 404 when there is none.
   *     parameters:
   *       - { $ref: "#/components/parameters/SettledProductId" }
   *     responses:
   *       200: { $ref: "#/components/responses/Settlement" }
   *       400: { $ref: "#/components/responses/BadRequest" }
   *       401: { $ref: "#/components/responses/Unauthenticated" }
   *       403: { $ref: "#/components/responses/Forbidden" }
   *       404: { $ref: "#/components/responses/NotFound" }
   *       429: { $ref: "#/components/responses/TooManyRequests" }
   *       500: { $ref: "#/components/responses/Internal" }
   *       503: { $ref: "#/components/responses/NotReady" }
   */
  serve(router, "/products/:productId/latest", { get: [authenticate, admin, settlements.latestOfProduct] });
  /**
   * @openapi
   * /api/settlements/export:
   *   get:
   *     operationId: exportSettlements
   *     tags: [Settlements]
   *     summary: Export settlements as one CSV file, in the order of their ids (administrators)
   *     description: >-
   *       All of one instant, whatever is settled meanwhile. The answer's Link (rel="describedby") is the control sheet, which is
   *       there once the file is whole; a file that is not whole ends with its connection, before the last chunk. At most two
   *       reports at once in each process; above that `not_ready`.
   *     parameters:
   *       - { $ref: "#/components/parameters/From" }
   *       - { $ref: "#/components/parameters/To" }
   *       - { $ref: "#/components/parameters/SettledProduct" }
   *       - { $ref: "#/components/parameters/SettledUser" }
   *       - { $ref: "#/components/parameters/FormatOfExport" }
   *     responses:
   *       200: { $ref: "#/components/responses/SettlementExport" }
   *       400: { $ref: "#/components/responses/BadRequest" }
   *       401: { $ref: "#/components/responses/Unauthenticated" }
   *       403: { $ref: "#/components/responses/Forbidden" }
   *       429: { $ref: "#/components/responses/TooManyRequests" }
   *       500: { $ref: "#/components/responses/Internal" }
   *       503: { $ref: "#/components/responses/NotReady" }
   */
  serve(router, "/export", { get: [authenticate, admin, reports.exportCsv] });
  /**
   * @openapi
   * /api/settlements/exports/{id}:
   *   get:
   *     operationId: readExportControl
   *     tags: [Settlements]
   *     summary: Read the control sheet of an export that has ended well (administrators)
   *     description: Its rows, sums and checksum, to hold the file against. 404 while it runs, and of one that failed.
   *     parameters:
   *       - { $ref: "#/components/parameters/ExportId" }
   *     responses:
   *       200: { $ref: "#/components/responses/ControlSheet" }
   *       400: { $ref: "#/components/responses/BadRequest" }
   *       401: { $ref: "#/components/responses/Unauthenticated" }
   *       403: { $ref: "#/components/responses/Forbidden" }
   *       404: { $ref: "#/components/responses/NotFound" }
   *       429: { $ref: "#/components/responses/TooManyRequests" }
   *       500: { $ref: "#/components/responses/Internal" }
   *       503: { $ref: "#/components/responses/NotReady" }
   */
  serve(router, "/exports/:id", { get: [authenticate, admin, reports.control] });
  /**
   * @openapi
   * /api/settlements/daily:
   *   get:
   *     operationId: summariseSettlements
   *     tags: [Settlements]
   *     summary: Add settlements up by day, product and currency (administrators)
   *     description: >-
   *       Days of REPORT_TIME_ZONE, at most 366 and 10 000 rows. Without `to` up to the end of today; without `from` the 31 days
   *       before that.
   *     parameters:
   *       - { $ref: "#/components/parameters/From" }
   *       - { $ref: "#/components/parameters/To" }
   *       - { $ref: "#/components/parameters/SettledProduct" }
   *       - { $ref: "#/components/parameters/SettledUser" }
   *       - { $ref: "#/components/parameters/Format" }
   *     responses:
   *       200: { $ref: "#/components/responses/DailySummary" }
   *       400: { $ref: "#/components/responses/BadRequest" }
   *       401: { $ref: "#/components/responses/Unauthenticated" }
   *       403: { $ref: "#/components/responses/Forbidden" }
   *       429: { $ref: "#/components/responses/TooManyRequests" }
   *       500: { $ref: "#/components/responses/Internal" }
   *       503: { $ref: "#/components/responses/NotReady" }
   */
  serve(router, "/daily", { get: [authenticate, admin, reports.daily] });
  return router;
}
