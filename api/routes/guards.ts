import type { RequestHandler } from "express";

/** What stands before controllers; made once by createApp. */
export interface Guards {
  readonly authenticate: RequestHandler;
  readonly admin: RequestHandler;
  readonly ordersPerUser: RequestHandler;
  readonly jsonBody: readonly RequestHandler[];
}
