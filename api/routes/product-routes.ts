import { Router } from "express";
import type { ProductController } from "../controllers/product-controller.ts";
import type { Guards } from "./guards.ts";
import { serve } from "./serve.ts";

export function productRoutes(
  products: ProductController,
  { authenticate, admin, jsonBody }: Guards,
): Router {
  const router = Router();
  /**
   * @openapi
   * /api/products:
   *   get:
   *     operationId: listProducts
   *     tags: [Products]
   *     summary: List sales, newest first
   *     description: "`stockLeft` and `state` are live. meta.nextCursor leads to the next page."
   *     security: []
   *     parameters:
   *       - { $ref: "#/components/parameters/Limit" }
   *       - { $ref: "#/components/parameters/Cursor" }
   *     responses:
   *       200: { $ref: "#/components/responses/ProductPage" }
   *       400: { $ref: "#/components/responses/BadRequest" }
   *       429: { $ref: "#/components/responses/TooManyRequests" }
   *       500: { $ref: "#/components/responses/Internal" }
   *       503: { $ref: "#/components/responses/NotReady" }
   *   post:
   *     operationId: openSale
   *     tags: [Products]
   *     summary: Open a sale (administrators)
   *     description: endTime is 24 hours after startTime when it is not given.
   *     requestBody: { $ref: "#/components/requestBodies/Product" }
   *     responses:
   *       201: { $ref: "#/components/responses/ProductCreated" }
   *       400: { $ref: "#/components/responses/BadRequest" }
   *       401: { $ref: "#/components/responses/Unauthenticated" }
   *       403: { $ref: "#/components/responses/Forbidden" }
   *       413: { $ref: "#/components/responses/TooLarge" }
   *       415: { $ref: "#/components/responses/UnsupportedMediaType" }
   *       429: { $ref: "#/components/responses/TooManyRequests" }
   *       500: { $ref: "#/components/responses/Internal" }
   *       503: { $ref: "#/components/responses/NotReady" }
   */
  serve(router, "/", { get: [products.list], post: [authenticate, admin, ...jsonBody, products.open] });
  /**
   * @openapi
   * /api/products/{id}:
   *   get:
   *     operationId: readProduct
   *     tags: [Products]
   *     summary: Read one sale
   *     description: stockLeft is live.
   *     security: []
   *     parameters:
   *       - { $ref: "#/components/parameters/ProductId" }
   *     responses:
   *       200: { $ref: "#/components/responses/Product" }
   *       400: { $ref: "#/components/responses/BadRequest" }
   *       404: { $ref: "#/components/responses/NotFound" }
   *       429: { $ref: "#/components/responses/TooManyRequests" }
   *       500: { $ref: "#/components/responses/Internal" }
   *       503: { $ref: "#/components/responses/NotReady" }
   *   patch:
   *     operationId: changeSale
   *     tags: [Products]
   *     summary: Change a sale's title, end it earlier, add stock; audited (administrators)
   *     description: >-
   *       Each field is the new value itself, so that a request sent again changes nothing more. `endTime` only becomes
   *       earlier, is not in the past, and may be `"now"`; every order that was accepted before it stays good. `stock` is all
   *       units of the sale, and only grows. Of a sale that is over only the title changes.
   *     parameters:
   *       - { $ref: "#/components/parameters/ProductId" }
   *     requestBody: { $ref: "#/components/requestBodies/ProductChange" }
   *     responses:
   *       200: { $ref: "#/components/responses/Product" }
   *       400: { $ref: "#/components/responses/BadRequest" }
   *       401: { $ref: "#/components/responses/Unauthenticated" }
   *       403: { $ref: "#/components/responses/Forbidden" }
   *       404: { $ref: "#/components/responses/NotFound" }
   *       413: { $ref: "#/components/responses/TooLarge" }
   *       415: { $ref: "#/components/responses/UnsupportedMediaType" }
   *       429: { $ref: "#/components/responses/TooManyRequests" }
   *       500: { $ref: "#/components/responses/Internal" }
   *       503: { $ref: "#/components/responses/NotReady" }
   */
  serve(router, "/:id", {
    get: [products.read],
    patch: [authenticate, admin, ...jsonBody, products.change],
  });
  return router;
}
