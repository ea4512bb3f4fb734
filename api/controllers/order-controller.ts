import type { Request, Response } from "express";
import { principalOf, setOrderId, traceIdOf, traceparentOf } from "../request-context.ts";
import type { OrderStreams } from "../services/order-streams.ts";
import type { OrderQueryService } from "../services/order-query-service.ts";
import type { OrderService } from "../services/order-service.ts";
import type { OrderView } from "../../shared/domain/settlement.ts";
import { openEventStream, type EventStream } from "./event-stream.ts";
import { parse } from "./parse.ts";
import { acceptedBody, orderBodyOf, sendAscii, success, successPage } from "./present.ts";
import {
  IDEMPOTENCY_KEY,
  idempotencyKey,
  noQuery,
  orderBody,
  orderPath,
  ordersQuery,
  plainOrderBody,
} from "./schemas.ts";

export type OrderController = ReturnType<typeof createOrderController>;

export function createOrderController(
  orders: OrderService,
  queries: OrderQueryService,
  streams: Pick<OrderStreams, "follow">,
) {
  return { place, read, list, events };

  async function place(req: Request, res: Response): Promise<void> {
    // Express reads the query anew each time it is asked for it.
    if (req.url.includes("?")) parse(noQuery, req.query, "query");
    const { productId, quantity } = plainOrderBody(req.body) ?? parse(orderBody, req.body);
    const key = req.get("Idempotency-Key");
    if (key !== undefined && !IDEMPOTENCY_KEY.test(key))
      parse(idempotencyKey, { "Idempotency-Key": key }, "header");
    const { order, replayed } = await orders.place({
      principal: principalOf(req),
      productId,
      quantity,
      traceId: traceIdOf(req),
      traceparent: traceparentOf(req),
      ...(key !== undefined && { idempotencyKey: key }),
    });
    setOrderId(req, order.orderId);
    if (replayed) res.set("Idempotent-Replayed", "true");
    res.setHeader("Location", `/api/orders/${order.orderId}`);
    sendAscii(res, 202, success(acceptedBody(order)));
  }

  async function read(req: Request, res: Response): Promise<void> {
    const { id } = parse(orderPath, req.params, "path");
    parse(noQuery, req.query, "query");
    setOrderId(req, id);
    res.json(success(orderBodyOf(await queries.find(principalOf(req), id))));
  }

  async function events(req: Request, res: Response): Promise<void> {
    const { id } = parse(orderPath, req.params, "path");
    parse(noQuery, req.query, "query");
    setOrderId(req, id);
    const principal = principalOf(req);
    const open: { stream?: EventStream; decided?: OrderView } = {};
    // Before the order is read: what is decided in between is not missed.
    const unfollow = streams.follow(id, {
      principal,
      decided: (order) => {
        open.decided = order;
        open.stream?.send("status", order.status, orderBodyOf(order));
        open.stream?.end();
      },
      beat: () => open.stream?.beat(),
      end: () => open.stream?.end(),
    });
    res.once("close", unfollow);
    const found = await queries.find(principal, id);
    const order = open.decided ?? found;
    const over = order.status !== "PENDING";
    const seen = req.get("Last-Event-ID") === order.status;
    if (over && seen) {
      // Tells an EventSource not to come back.
      res.status(204).end();
      return;
    }
    const stream = openEventStream(res);
    open.stream = stream;
    if (!seen) stream.send("status", order.status, orderBodyOf(order));
    if (over || req.method === "HEAD") stream.end();
  }

  async function list(req: Request, res: Response): Promise<void> {
    const { limit, cursor, ...filter } = parse(ordersQuery, req.query, "query");
    const page = await queries.listOwn(principalOf(req), filter, { limit, ...(cursor && { after: cursor }) });
    res.json(successPage(page, orderBodyOf));
  }
}
