import type { Request, Response } from "express";
import type { ConsistencyService } from "../services/consistency-service.ts";
import { parse } from "./parse.ts";
import { consistencyBody, success } from "./present.ts";
import { consistencyQuery } from "./schemas.ts";

export type ConsistencyController = ReturnType<typeof createConsistencyController>;

export function createConsistencyController(consistency: ConsistencyService) {
  return { check };

  async function check(req: Request, res: Response): Promise<void> {
    const { productId } = parse(consistencyQuery, req.query, "query");
    res.json(success(consistencyBody(await consistency.run(productId))));
  }
}
