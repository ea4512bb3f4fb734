import { createServer, IncomingMessage, ServerResponse, type Server } from "node:http";
import express, { type Express } from "express";

/** An Express application as small as it gets. */
export function createExpress(): Express {
  const app = express();
  app.disable("x-powered-by");
  app.disable("etag");
  return app;
}

/** Served with fixed prototypes. A yardstick has its own copy of this trick: FlashPay's may change, a measure must not. */
export function serve(app: Express, port: number): Server {
  class Req extends IncomingMessage {}
  class Res<R extends IncomingMessage = IncomingMessage> extends ServerResponse<R> {}
  Object.setPrototypeOf(Req.prototype, app.request);
  Object.setPrototypeOf(Res.prototype, app.response);
  app.request = Req.prototype as typeof app.request;
  app.response = Res.prototype as typeof app.response;
  return createServer({ IncomingMessage: Req, ServerResponse: Res }, app).listen(port, "127.0.0.1");
}
