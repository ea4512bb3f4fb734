import { Router } from "express";
import type { DeadLetterController } from "../controllers/dead-letter-controller.ts";
import type { Guards } from "./guards.ts";
import { serve } from "./serve.ts";

export function deadLetterRoutes(
  letters: DeadLetterController,
  { authenticate, admin, jsonBody }: Guards,
): Router {
  const router = Router();
  /**
   * @openapi
   * /api/admin/dead-letters:
   *   get:
   *     operationId: listDeadLetters
   *     tags: [Administration]
   *     summary: List messages that could not be decided, newest first (administrators)
   *     description: What each letter is about and what became of it, without its bytes. The filters hold together.
   *     parameters:
   *       - { $ref: "#/components/parameters/Limit" }
   *       - { $ref: "#/components/parameters/Cursor" }
   *       - { $ref: "#/components/parameters/DeadLetterStatus" }
   *       - { $ref: "#/components/parameters/DeadLetterOrder" }
   *       - { $ref: "#/components/parameters/Partition" }
   *     responses:
   *       200: { $ref: "#/components/responses/DeadLetterPage" }
   *       400: { $ref: "#/components/responses/BadRequest" }
   *       401: { $ref: "#/components/responses/Unauthenticated" }
   *       403: { $ref: "#/components/responses/Forbidden" }
   *       429: { $ref: "#/components/responses/TooManyRequests" }
   *       500: { $ref: "#/components/responses/Internal" }
   *       503: { $ref: "#/components/responses/NotReady" }
   */
  serve(router, "/", { get: [authenticate, admin, letters.list] });
  /**
   * @openapi
   * /api/admin/dead-letters/{id}:
   *   get:
   *     operationId: readDeadLetter
   *     tags: [Administration]
   *     summary: Read one dead letter with its bytes, its order's status and its audit entries (administrators)
   *     description: "`orderStatus` is how the order that the message names was decided, or null."
   *     parameters:
   *       - { $ref: "#/components/parameters/DeadLetterId" }
   *     responses:
   *       200: { $ref: "#/components/responses/DeadLetter" }
   *       400: { $ref: "#/components/responses/BadRequest" }
   *       401: { $ref: "#/components/responses/Unauthenticated" }
   *       403: { $ref: "#/components/responses/Forbidden" }
   *       404: { $ref: "#/components/responses/NotFound" }
   *       429: { $ref: "#/components/responses/TooManyRequests" }
   *       500: { $ref: "#/components/responses/Internal" }
   *       503: { $ref: "#/components/responses/NotReady" }
   */
  serve(router, "/:id", { get: [authenticate, admin, letters.read] });
  /**
   * @openapi
   * /api/admin/dead-letters/{id}/replay:
   *   post:
   *     operationId: replayDeadLetter
   *     tags: [Administration]
   *     summary: Put the message into the orders topic again (administrators)
   *     description: >-
   *       The key and the value go to the topic as they came. What becomes of them is decided by the same rules as
   *       before: an order that is decided already (orderStatusBefore) never changes, and a message that still cannot be
   *       decided is parked again, as a new dead letter. Of all administrators who replay or discard one letter, one does
   *       it; the others hear 409. After 503 `outcome_unknown` the letter stays parked and may be replayed again: an
   *       order id is decided once.
   *     parameters:
   *       - { $ref: "#/components/parameters/DeadLetterId" }
   *     responses:
   *       202: { $ref: "#/components/responses/DeadLetterReplayed" }
   *       400: { $ref: "#/components/responses/BadRequest" }
   *       401: { $ref: "#/components/responses/Unauthenticated" }
   *       403: { $ref: "#/components/responses/Forbidden" }
   *       404: { $ref: "#/components/responses/NotFound" }
   *       409: { $ref: "#/components/responses/LetterHandled" }
   *       429: { $ref: "#/components/responses/TooManyRequests" }
   *       500: { $ref: "#/components/responses/Internal" }
   *       503: { $ref: "#/components/responses/ReplayNotReady" }
   */
  serve(router, "/:id/replay", { post: [authenticate, admin, letters.replay] });
  /**
   * @openapi
   * /api/admin/dead-letters/{id}/discard:
   *   post:
   *     operationId: discardDeadLetter
   *     tags: [Administration]
   *     summary: Close the letter without replaying it; say why (administrators)
   *     description: >-
   *       The letter stays readable, with the reason in its audit entry. Of all administrators who replay or discard one
   *       letter, one does it; the others hear 409.
   *     parameters:
   *       - { $ref: "#/components/parameters/DeadLetterId" }
   *     requestBody: { $ref: "#/components/requestBodies/Discard" }
   *     responses:
   *       200: { $ref: "#/components/responses/DeadLetterDiscarded" }
   *       400: { $ref: "#/components/responses/BadRequest" }
   *       401: { $ref: "#/components/responses/Unauthenticated" }
   *       403: { $ref: "#/components/responses/Forbidden" }
   *       404: { $ref: "#/components/responses/NotFound" }
   *       409: { $ref: "#/components/responses/LetterHandled" }
   *       413: { $ref: "#/components/responses/TooLarge" }
   *       415: { $ref: "#/components/responses/UnsupportedMediaType" }
   *       429: { $ref: "#/components/responses/TooManyRequests" }
   *       500: { $ref: "#/components/responses/Internal" }
   *       503: { $ref: "#/components/responses/NotReady" }
   */
  serve(router, "/:id/discard", { post: [authenticate, admin, ...jsonBody, letters.discard] });
  return router;
}
