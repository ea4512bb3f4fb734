import { Router } from "express";
import type { OrderController } from "../controllers/order-controller.ts";
import type { Guards } from "./guards.ts";
import { serve } from "./serve.ts";

export function orderRoutes(
  orders: OrderController,
  { authenticate, ordersPerUser, jsonBody }: Guards,
): Router {
  const router = Router();
  /**
   * @openapi
   * /api/orders:
   *   post:
   *     operationId: placeOrder
   *     tags: [Orders]
   *     summary: Order units of a product
   *     description: >-
   *       202 means: the order is in the log, will be decided, and is never lost. Send an Idempotency-Key so that a
   *       request whose answer was lost can be sent again: it gets the first answer, byte for byte, for 24 hours.
   *     parameters:
   *       - { $ref: "#/components/parameters/IdempotencyKey" }
   *     requestBody: { $ref: "#/components/requestBodies/Order" }
   *     responses:
   *       202: { $ref: "#/components/responses/OrderAccepted" }
   *       400: { $ref: "#/components/responses/BadRequest" }
   *       401: { $ref: "#/components/responses/Unauthenticated" }
   *       404: { $ref: "#/components/responses/NotFound" }
   *       409: { $ref: "#/components/responses/OrderRefused" }
   *       413: { $ref: "#/components/responses/TooLarge" }
   *       415: { $ref: "#/components/responses/UnsupportedMediaType" }
   *       422: { $ref: "#/components/responses/KeyReused" }
   *       429: { $ref: "#/components/responses/TooManyRequests" }
   *       500: { $ref: "#/components/responses/Internal" }
   *       503: { $ref: "#/components/responses/OrderNotReady" }
   *   get:
   *     operationId: listOrders
   *     tags: [Orders]
   *     summary: List the own orders, undecided ones included, newest first
   *     description: An order can be seen from the moment of its 202. meta.nextCursor leads to the next page.
   *     parameters:
   *       - { $ref: "#/components/parameters/Limit" }
   *       - { $ref: "#/components/parameters/OrderCursor" }
   *       - { $ref: "#/components/parameters/Status" }
   *       - { $ref: "#/components/parameters/ProductFilter" }
   *     responses:
   *       200: { $ref: "#/components/responses/OrderPage" }
   *       400: { $ref: "#/components/responses/BadRequest" }
   *       401: { $ref: "#/components/responses/Unauthenticated" }
   *       429: { $ref: "#/components/responses/TooManyRequests" }
   *       500: { $ref: "#/components/responses/Internal" }
   *       503: { $ref: "#/components/responses/NotReady" }
   */
  serve(router, "/", {
    get: [authenticate, orders.list],
    // Before the body: what is refused for its number is not worth reading.
    post: [authenticate, ordersPerUser, ...jsonBody, orders.place],
  });
  /**
   * @openapi
   * /api/orders/{id}:
   *   get:
   *     operationId: readOrder
   *     tags: [Orders]
   *     summary: Read one order (its owner, administrators)
   *     description: PENDING until it is decided, then SUCCESS with its settlement or FAILED with its reason; neither changes again.
   *     parameters:
   *       - { $ref: "#/components/parameters/OrderId" }
   *     responses:
   *       200: { $ref: "#/components/responses/Order" }
   *       400: { $ref: "#/components/responses/BadRequest" }
   *       401: { $ref: "#/components/responses/Unauthenticated" }
   *       404: { $ref: "#/components/responses/NotFound" }
   *       429: { $ref: "#/components/responses/TooManyRequests" }
   *       500: { $ref: "#/components/responses/Internal" }
   *       503: { $ref: "#/components/responses/NotReady" }
   */
  serve(router, "/:id", { get: [authenticate, orders.read] });
  /**
   * @openapi
   * /api/orders/{id}/events:
   *   get:
   *     operationId: followOrder
   *     tags: [Orders]
   *     summary: Follow one order as server-sent events (its owner, administrators)
   *     description: >-
   *       The status at once, then its change; the stream ends after SUCCESS or FAILED. Each event is called `status`, its
   *       data is the order as GET /api/orders/{id} shows it, its id is the status: a client that comes back with it in
   *       Last-Event-ID is told only what is new, and hears 204 when nothing is.
   *     parameters:
   *       - { $ref: "#/components/parameters/OrderId" }
   *       - { $ref: "#/components/parameters/LastEventId" }
   *     responses:
   *       200: { $ref: "#/components/responses/OrderEvents" }
   *       204: { $ref: "#/components/responses/NothingNew" }
   *       400: { $ref: "#/components/responses/BadRequest" }
   *       401: { $ref: "#/components/responses/Unauthenticated" }
   *       404: { $ref: "#/components/responses/NotFound" }
   *       429: { $ref: "#/components/responses/TooManyRequests" }
   *       500: { $ref: "#/components/responses/Internal" }
   *       503: { $ref: "#/components/responses/NotReady" }
   */
  serve(router, "/:id/events", { get: [authenticate, orders.events] });
  return router;
}
