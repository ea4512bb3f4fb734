import { Router } from "express";
import swaggerUi from "swagger-ui-express";
import type { OpenApiDocument } from "./openapi/document.ts";

/** Swagger UI at /api-docs, the document itself at /api-docs.json. */
export function docsRoutes(): Router {
  let document: Promise<OpenApiDocument> | undefined;
  return Router()
    .get("/api-docs.json", async (_req, res) => {
      // Made when somebody asks: reading all the sources costs as much CPU as the rest of a start.
      document ??= import("./openapi/document.ts").then(({ createDocument }) => createDocument());
      res.json(await document);
    })
    .use(
      "/api-docs",
      swaggerUi.serve,
      swaggerUi.setup(undefined, {
        customSiteTitle: "FlashPay API",
        swaggerOptions: { url: "/api-docs.json" },
      }),
    );
}
