import { Router, type Request, type Response } from "express";
import helmet from "helmet";
import swaggerUi from "swagger-ui-express";
import type { OpenApiDocument } from "./openapi/document.ts";
import { serve } from "./routes/serve.ts";

/** Swagger UI at /api-docs, the document itself at /api-docs.json. */
export function docsRoutes(): Router {
  let document: Promise<OpenApiDocument> | undefined;
  // It answers whatever it is asked, in any method: its routes stand behind one that lets only reads through.
  const ui = Router().use(
    "/api-docs",
    // Its styles are inline; nobody else's are.
    helmet.contentSecurityPolicy({
      directives: {
        upgradeInsecureRequests: null,
        baseUri: ["'none'"],
        styleSrc: ["'self'", "'unsafe-inline'"],
      },
    }),
    swaggerUi.serve,
    swaggerUi.setup(undefined, {
      customSiteTitle: "FlashPay API",
      swaggerOptions: { url: "/api-docs.json" },
    }),
  );
  const router = Router();
  serve(router, "/api-docs.json", {
    get: [
      async (_req: Request, res: Response) => {
        // Made when somebody asks: reading all the sources costs as much CPU as the rest of a start.
        document ??= import("./openapi/document.ts").then(({ createDocument }) => createDocument());
        res.json(await document);
      },
    ],
  });
  return serve(router, "/api-docs{/*file}", { get: [ui] });
}
