import type { Request, Response } from "express";
import { principalOf, setOrderId, traceIdOf } from "../request-context.ts";
import type { DeadLetterService, HandledLetter } from "../services/dead-letter-service.ts";
import { deadLetterPath, deadLettersQuery, discardBody } from "./admin-schemas.ts";
import { parse } from "./parse.ts";
import { deadLetterBody, handledLetterBody, inspectedLetterBody, success, successPage } from "./present.ts";
import { noQuery } from "./schemas.ts";

export type DeadLetterController = ReturnType<typeof createDeadLetterController>;

export function createDeadLetterController(letters: DeadLetterService) {
  return { list, read, replay, discard };

  async function list(req: Request, res: Response): Promise<void> {
    const { limit, cursor, ...filter } = parse(deadLettersQuery, req.query, "query");
    const page = await letters.list(filter, { limit, ...(cursor !== undefined && { after: cursor }) });
    res.json(successPage(page, deadLetterBody));
  }

  async function read(req: Request, res: Response): Promise<void> {
    const { id } = parse(deadLetterPath, req.params, "path");
    parse(noQuery, req.query, "query");
    res.json(success(inspectedLetterBody(await letters.inspect(id))));
  }

  async function replay(req: Request, res: Response): Promise<void> {
    const { id } = parse(deadLetterPath, req.params, "path");
    parse(noQuery, req.query, "query");
    answer(req, res.status(202), await letters.replay(principalOf(req), id, traceIdOf(req)));
  }

  async function discard(req: Request, res: Response): Promise<void> {
    const { id } = parse(deadLetterPath, req.params, "path");
    parse(noQuery, req.query, "query");
    const { reason } = parse(discardBody, req.body);
    answer(req, res, await letters.discard(principalOf(req), id, reason, traceIdOf(req)));
  }
}

function answer(req: Request, res: Response, handled: HandledLetter): void {
  if (handled.orderId !== null) setOrderId(req, handled.orderId);
  res.json(success(handledLetterBody(handled)));
}
