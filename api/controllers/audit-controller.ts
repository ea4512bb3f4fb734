import type { Request, Response } from "express";
import type { AuditTrail } from "../../shared/domain/ports.ts";
import { auditQuery } from "./admin-schemas.ts";
import { parse } from "./parse.ts";
import { auditBody, successPage } from "./present.ts";

export type AuditController = ReturnType<typeof createAuditController>;

export function createAuditController(audit: Pick<AuditTrail, "list">) {
  return {
    async list(req: Request, res: Response): Promise<void> {
      const { limit, cursor, ...filter } = parse(auditQuery, req.query, "query");
      const page = await audit.list(filter, { limit, ...(cursor !== undefined && { after: cursor }) });
      res.json(successPage(page, auditBody));
    },
  };
}
