import { Router } from "express";
import swaggerUi from "swagger-ui-express";
import type { OpenApiDocument } from "./openapi/document.ts";

/** Swagger UI at /api-docs, the document itself at /api-docs.json. */
export function docsRoutes(document: OpenApiDocument): Router {
  return Router()
    .get("/api-docs.json", (_req, res) => {
      res.json(document);
    })
    .use("/api-docs", swaggerUi.serve, swaggerUi.setup(document, { customSiteTitle: "FlashPay API" }));
}
