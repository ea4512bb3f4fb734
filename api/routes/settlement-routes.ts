import { Router } from "express";
import type { SettlementController } from "../controllers/settlement-controller.ts";
import type { Guards } from "./guards.ts";
import { serve } from "./serve.ts";

export function settlementRoutes(settlements: SettlementController, { authenticate, admin }: Guards): Router {
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
  return router;
}
