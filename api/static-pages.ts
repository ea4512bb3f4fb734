import { fileURLToPath } from "node:url";
import express, { type RequestHandler } from "express";

/** Where `npm run build:pages` puts them; beside this file once it is compiled. */
const FOLDER = fileURLToPath(
  new URL(import.meta.url.endsWith(".ts") ? "../dist/api/pages" : "./pages", import.meta.url),
);
const PAGES: Readonly<Record<string, string>> = { "/": "index.html", "/admin": "admin.html" };

/** The buyer's page at /, the dashboard at /admin, and what both load below /pages/. Whatever else is asked for goes on. */
export function staticPages(): RequestHandler {
  // A browser keeps them and asks each time whether they are still the same: a release is seen at once.
  const files = express.static(FOLDER, {
    ...{ index: false, redirect: false, etag: true, lastModified: false, dotfiles: "ignore" },
    setHeaders: (res) => res.setHeader("Cache-Control", "no-cache"),
  });
  return (req, res, next) => {
    const { url, path } = req;
    const page = Object.hasOwn(PAGES, path) ? PAGES[path] : undefined;
    const file = page ?? (path.startsWith("/pages/") ? path.slice("/pages/".length) : undefined);
    if (file === undefined) {
      next();
      return;
    }
    req.url = `/${file}`;
    void files(req, res, (error?: unknown) => {
      req.url = url;
      next(error);
    });
  };
}
