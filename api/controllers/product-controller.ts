import type { Request, Response } from "express";
import { DomainError } from "../../shared/domain/errors.ts";
import { principalOf, traceIdOf } from "../request-context.ts";
import type { ProductService } from "../services/product-service.ts";
import { parse } from "./parse.ts";
import { saleBody, success, successPage } from "./present.ts";
import { idPageQuery, noQuery, productBody, productChangeBody, productPath } from "./schemas.ts";

/** How long a sale is open when its end is not given. */
const DEFAULT_SALE_MS = 24 * 3_600_000;

export type ProductController = ReturnType<typeof createProductController>;

export function createProductController(products: ProductService) {
  return { open, read, list, change };

  async function open(req: Request, res: Response): Promise<void> {
    parse(noQuery, req.query, "query");
    const body = parse(productBody, req.body);
    const endTime = body.endTime ?? body.startTime + DEFAULT_SALE_MS;
    if (endTime <= body.startTime) {
      const detail = "endTime must be after startTime";
      throw new DomainError("validation_failed", "The sale would end before it starts.", {
        errors: [{ pointer: "/endTime", detail }],
      });
    }
    const sale = await products.open(principalOf(req), { ...body, endTime }, traceIdOf(req));
    res
      .status(201)
      .location(`/api/products/${sale.id}`)
      .json(success(saleBody(sale)));
  }

  async function read(req: Request, res: Response): Promise<void> {
    const { id } = parse(productPath, req.params, "path");
    parse(noQuery, req.query, "query");
    res.json(success(saleBody(await products.find(id))));
  }

  async function change(req: Request, res: Response): Promise<void> {
    const { id } = parse(productPath, req.params, "path");
    parse(noQuery, req.query, "query");
    const wish = parse(productChangeBody, req.body);
    res.json(success(saleBody(await products.change(principalOf(req), id, wish, traceIdOf(req)))));
  }

  async function list(req: Request, res: Response): Promise<void> {
    const { limit, cursor } = parse(idPageQuery, req.query, "query");
    const page = await products.list({ limit, ...(cursor !== undefined && { after: cursor }) });
    res.json(successPage(page, saleBody));
  }
}
