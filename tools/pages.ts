import { cpSync, mkdirSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

/** Bundles the dashboard and the buyer's page into dist/api/pages, where the API serves them from. */
const SOURCE = fileURLToPath(new URL("../api/pages/", import.meta.url));
const TARGET = fileURLToPath(new URL("../dist/api/pages/", import.meta.url));
/** Browsers of the last three years. */
const BROWSERS = ["chrome116", "firefox117", "safari16.4"];

rmSync(TARGET, { recursive: true, force: true });
mkdirSync(TARGET, { recursive: true });
await build({
  entryPoints: [`${SOURCE}buyer.ts`, `${SOURCE}admin.ts`],
  outdir: TARGET,
  ...{ bundle: true, minify: true, format: "esm", target: BROWSERS, sourcemap: true },
  // uPlot's own licence stays with it.
  ...{ legalComments: "eof", logLevel: "warning" },
});
for (const file of ["index.html", "admin.html", "icon.svg"]) cpSync(`${SOURCE}${file}`, `${TARGET}${file}`);
