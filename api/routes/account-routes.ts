import { Router } from "express";
import type { AccountController } from "../controllers/account-controller.ts";
import type { Guards } from "./guards.ts";
import { serve } from "./serve.ts";

export function accountRoutes(accounts: AccountController, { authenticate, jsonBody }: Guards): Router {
  const router = Router();
  /**
   * @openapi
   * /api/users/signup:
   *   post:
   *     operationId: signUp
   *     tags: [Users]
   *     summary: Create an account
   *     description: The account has the role `user`. User names are unique without regard to case; e-mail addresses are stored in lower case.
   *     security: []
   *     requestBody: { $ref: "#/components/requestBodies/Signup" }
   *     responses:
   *       201: { $ref: "#/components/responses/UserCreated" }
   *       400: { $ref: "#/components/responses/BadRequest" }
   *       409: { $ref: "#/components/responses/Taken" }
   *       413: { $ref: "#/components/responses/TooLarge" }
   *       415: { $ref: "#/components/responses/UnsupportedMediaType" }
   *       429: { $ref: "#/components/responses/TooManyRequests" }
   *       500: { $ref: "#/components/responses/Internal" }
   *       503: { $ref: "#/components/responses/NotReady" }
   */
  serve(router, "/signup", { post: [...jsonBody, accounts.signUp] });
  /**
   * @openapi
   * /api/users/login:
   *   post:
   *     operationId: logIn
   *     tags: [Users]
   *     summary: Get an access token
   *     description: Give either `username` or `email`. A wrong name and a wrong password get the same answer.
   *     security: []
   *     requestBody: { $ref: "#/components/requestBodies/Login" }
   *     responses:
   *       200: { $ref: "#/components/responses/Token" }
   *       400: { $ref: "#/components/responses/BadRequest" }
   *       401: { $ref: "#/components/responses/Unauthenticated" }
   *       413: { $ref: "#/components/responses/TooLarge" }
   *       415: { $ref: "#/components/responses/UnsupportedMediaType" }
   *       429: { $ref: "#/components/responses/TooManyRequests" }
   *       500: { $ref: "#/components/responses/Internal" }
   *       503: { $ref: "#/components/responses/NotReady" }
   */
  serve(router, "/login", { post: [...jsonBody, accounts.logIn] });
  /**
   * @openapi
   * /api/users/logout:
   *   post:
   *     operationId: logOut
   *     tags: [Users]
   *     summary: Revoke the access token
   *     description: The token is refused by every process within one second.
   *     responses:
   *       204: { description: The token is revoked. }
   *       400: { $ref: "#/components/responses/BadRequest" }
   *       401: { $ref: "#/components/responses/Unauthenticated" }
   *       429: { $ref: "#/components/responses/TooManyRequests" }
   *       500: { $ref: "#/components/responses/Internal" }
   *       503: { $ref: "#/components/responses/NotReady" }
   */
  serve(router, "/logout", { post: [authenticate, accounts.logOut] });
  /**
   * @openapi
   * /api/users/logout-all:
   *   post:
   *     operationId: logOutEverywhere
   *     tags: [Users]
   *     summary: Revoke all access tokens of the own account
   *     description: Every token that the account was given until now is refused by every process within one second, this one included.
   *     responses:
   *       204: { description: The tokens are revoked. }
   *       400: { $ref: "#/components/responses/BadRequest" }
   *       401: { $ref: "#/components/responses/Unauthenticated" }
   *       429: { $ref: "#/components/responses/TooManyRequests" }
   *       500: { $ref: "#/components/responses/Internal" }
   *       503: { $ref: "#/components/responses/NotReady" }
   */
  serve(router, "/logout-all", { post: [authenticate, accounts.logOutEverywhere] });
  /**
   * @openapi
   * /api/users/me:
   *   get:
   *     operationId: readOwnAccount
   *     tags: [Users]
   *     summary: Read the own account
   *     description: The account that the token was given to, as it stands now.
   *     responses:
   *       200: { $ref: "#/components/responses/User" }
   *       400: { $ref: "#/components/responses/BadRequest" }
   *       401: { $ref: "#/components/responses/Unauthenticated" }
   *       429: { $ref: "#/components/responses/TooManyRequests" }
   *       500: { $ref: "#/components/responses/Internal" }
   *       503: { $ref: "#/components/responses/NotReady" }
   */
  serve(router, "/me", { get: [authenticate, accounts.me] });
  return router;
}
