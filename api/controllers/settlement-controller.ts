import type { Request, Response } from "express";
import type { Page, PageRequest } from "../../shared/domain/page.ts";
import type { Settlement } from "../../shared/domain/settlement.ts";
import { principalOf } from "../request-context.ts";
import type { SettlementService } from "../services/settlement-service.ts";
import { parse } from "./parse.ts";
import { settlementBody, success, successPage } from "./present.ts";
import { idPageQuery, noQuery, productIdPath, userIdPath } from "./schemas.ts";

export type SettlementController = ReturnType<typeof createSettlementController>;

export function createSettlementController(settlements: SettlementService) {
  return {
    list,
    latest,
    listOfUser,
    latestOfUser,
    totalOfUser,
    listOfProduct,
    latestOfProduct,
    totalOfProduct,
  };

  async function list(req: Request, res: Response): Promise<void> {
    await page(req, res, (wanted) => settlements.list(principalOf(req), wanted));
  }

  async function latest(req: Request, res: Response): Promise<void> {
    parse(noQuery, req.query, "query");
    res.json(success(settlementBody(await settlements.latest(principalOf(req)))));
  }

  async function listOfUser(req: Request, res: Response): Promise<void> {
    const { userId } = parse(userIdPath, req.params, "path");
    await page(req, res, (wanted) => settlements.listOfUser(principalOf(req), userId, wanted));
  }

  async function latestOfUser(req: Request, res: Response): Promise<void> {
    const { userId } = parse(userIdPath, req.params, "path");
    parse(noQuery, req.query, "query");
    res.json(success(settlementBody(await settlements.latestOfUser(principalOf(req), userId))));
  }

  async function totalOfUser(req: Request, res: Response): Promise<void> {
    const { userId } = parse(userIdPath, req.params, "path");
    parse(noQuery, req.query, "query");
    res.json(success({ totals: await settlements.totalOfUser(principalOf(req), userId) }));
  }

  async function listOfProduct(req: Request, res: Response): Promise<void> {
    const { productId } = parse(productIdPath, req.params, "path");
    await page(req, res, (wanted) => settlements.listOfProduct(productId, wanted));
  }

  async function latestOfProduct(req: Request, res: Response): Promise<void> {
    const { productId } = parse(productIdPath, req.params, "path");
    parse(noQuery, req.query, "query");
    res.json(success(settlementBody(await settlements.latestOfProduct(productId))));
  }

  async function totalOfProduct(req: Request, res: Response): Promise<void> {
    const { productId } = parse(productIdPath, req.params, "path");
    parse(noQuery, req.query, "query");
    res.json(success({ totals: await settlements.totalOfProduct(productId) }));
  }
}

async function page(
  req: Request,
  res: Response,
  read: (wanted: PageRequest<number>) => Promise<Page<Settlement, number>>,
): Promise<void> {
  const { limit, cursor } = parse(idPageQuery, req.query, "query");
  res.json(
    successPage(await read({ limit, ...(cursor !== undefined && { after: cursor }) }), settlementBody),
  );
}
