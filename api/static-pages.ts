import { fileURLToPath } from "node:url";
import express, { Router, type RequestHandler } from "express";
import { serve } from "./routes/serve.ts";

/** Where `npm run build:pages` puts them; beside this file once it is compiled. */
export const PAGES_FOLDER = fileURLToPath(
  new URL(import.meta.url.endsWith(".ts") ? "../dist/api/pages" : "./pages", import.meta.url),
);
const PAGES: Readonly<Record<string, string>> = { "/": "index.html", "/admin": "admin.html" };
const FILES = "/pages/";

/** The buyer's page at /, the dashboard at /admin, and what both load below /pages/. Whatever else is asked for goes on. */
export function staticPages(folder: string): Router {
  // A browser keeps them and asks each time whether they are still the same: a release is seen at once.
  const files = express.static(folder, {
    ...{ index: false, redirect: false, etag: true, lastModified: false, dotfiles: "ignore" },
    setHeaders: (res) => res.setHeader("Cache-Control", "no-cache"),
  });
  const send =
    (fileOf: (path: string) => string): RequestHandler =>
    (req, res, next) => {
      const { url, path } = req;
      req.url = `/${fileOf(path)}`;
      void files(req, res, (error?: unknown) => {
        req.url = url;
        // Not "another method", which is what stands behind: no such file.
        next(error ?? "route");
      });
    };
  // One spelling each: /admin/ would look for its files in another place.
  const router = Router({ strict: true, caseSensitive: true });
  for (const [path, file] of Object.entries(PAGES)) serve(router, path, { get: [send(() => file)] });
  return serve(router, `${FILES}*file`, { get: [send((path) => path.slice(FILES.length))] });
}
