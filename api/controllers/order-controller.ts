import type { Request, Response } from "express";
import { principalOf, setOrderId, traceIdOf } from "../request-context.ts";
import type { OrderQueryService } from "../services/order-query-service.ts";
import type { OrderService } from "../services/order-service.ts";
import { parse } from "./parse.ts";
import { acceptedBody, orderBodyOf, success, successPage } from "./present.ts";
import { idempotencyKey, noQuery, orderBody, orderPath, ordersQuery } from "./schemas.ts";

export type OrderController = ReturnType<typeof createOrderController>;

export function createOrderController(orders: OrderService, queries: OrderQueryService) {
  return { place, read, list };

  async function place(req: Request, res: Response): Promise<void> {
    parse(noQuery, req.query, "query");
    const { productId, quantity } = parse(orderBody, req.body);
    const key = req.get("Idempotency-Key");
    if (key !== undefined) parse(idempotencyKey, { "Idempotency-Key": key }, "header");
    const { order, replayed } = await orders.place({
      principal: principalOf(req),
      productId,
      quantity,
      traceId: traceIdOf(req),
      ...(key !== undefined && { idempotencyKey: key }),
    });
    setOrderId(req, order.orderId);
    if (replayed) res.set("Idempotent-Replayed", "true");
    res
      .status(202)
      .location(`/api/orders/${order.orderId}`)
      .json(success(acceptedBody(order)));
  }

  async function read(req: Request, res: Response): Promise<void> {
    const { id } = parse(orderPath, req.params, "path");
    parse(noQuery, req.query, "query");
    setOrderId(req, id);
    res.json(success(orderBodyOf(await queries.find(principalOf(req), id))));
  }

  async function list(req: Request, res: Response): Promise<void> {
    const { limit, cursor, ...filter } = parse(ordersQuery, req.query, "query");
    const page = await queries.listOwn(principalOf(req), filter, { limit, ...(cursor && { after: cursor }) });
    res.json(successPage(page, orderBodyOf));
  }
}
