import type { Request, Response } from "express";
import type { Page, PageRequest } from "../../shared/domain/page.ts";
import type { Settlement } from "../../shared/domain/settlement.ts";
import { principalOf } from "../request-context.ts";
import { settlementCsv } from "../services/settlement-csv.ts";
import type { SettlementService } from "../services/settlement-service.ts";
import { headCsv, wantsCsv } from "./csv.ts";
import { parse } from "./parse.ts";
import { settlementBody, success, successPage } from "./present.ts";
import { settlementsOfProductQuery, settlementsOfUserQuery, settlementsQuery } from "./report-schemas.ts";
import { encodeCursor, noQuery, productIdPath, userIdPath, type IdPageQuery } from "./schemas.ts";

export type SettlementController = ReturnType<typeof createSettlementController>;

export function createSettlementController(settlements: SettlementService) {
  return {
    list,
    latest,
    total,
    listOfUser,
    latestOfUser,
    totalOfUser,
    listOfProduct,
    latestOfProduct,
    totalOfProduct,
  };

  async function list(req: Request, res: Response): Promise<void> {
    const { limit, cursor, format, ...wish } = parse(settlementsQuery, req.query, "query");
    const page = await settlements.list(principalOf(req), wish, pageOf({ limit, cursor }));
    answer(req, res, page, format);
  }

  async function latest(req: Request, res: Response): Promise<void> {
    parse(noQuery, req.query, "query");
    res.json(success(settlementBody(await settlements.latest(principalOf(req)))));
  }

  async function total(req: Request, res: Response): Promise<void> {
    parse(noQuery, req.query, "query");
    res.json(success({ totals: await settlements.total(principalOf(req)) }));
  }

  async function listOfUser(req: Request, res: Response): Promise<void> {
    const { userId } = parse(userIdPath, req.params, "path");
    const { limit, cursor, format, ...wish } = parse(settlementsOfUserQuery, req.query, "query");
    const scope = { ...wish, userId };
    answer(
      req,
      res,
      await settlements.listOfUser(principalOf(req), scope, pageOf({ limit, cursor })),
      format,
    );
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
    const { limit, cursor, format, ...wish } = parse(settlementsOfProductQuery, req.query, "query");
    const page = await settlements.listOfProduct({ ...wish, productId }, pageOf({ limit, cursor }));
    answer(req, res, page, format);
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

const pageOf = ({ limit, cursor }: { limit: number; cursor: IdPageQuery["cursor"] | undefined }) =>
  ({ limit, ...(cursor !== undefined && { after: cursor }) }) satisfies PageRequest<number>;

function answer(
  req: Request,
  res: Response,
  page: Page<Settlement, number>,
  format: "json" | "csv" | undefined,
): void {
  if (!wantsCsv(req, format)) {
    res.vary("Accept").json(successPage(page, settlementBody));
    return;
  }
  headCsv(res, "settlements.csv");
  // A file has no place for meta.nextCursor (RFC 8288).
  if (page.next !== null) res.setHeader("Link", `<${addressOfNext(req, page.next)}>; rel="next"`);
  res.send(settlementCsv(page.rows));
}

/** The same address with the next cursor. */
function addressOfNext(req: Request, next: number): string {
  const [path = "", query = ""] = req.originalUrl.split("?", 2);
  const parameters = new URLSearchParams(query);
  parameters.set("cursor", encodeCursor(next));
  return `${path}?${parameters.toString()}`;
}
