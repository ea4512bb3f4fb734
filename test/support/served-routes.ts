import type { Express } from "express";

/** One layer of a router's stack: a route, a mounted router, or middleware. */
export interface Layer {
  readonly route?: Route;
  readonly slash?: boolean;
  readonly handle: { readonly stack?: readonly Layer[] };
  readonly matchers?: readonly Matcher[];
}
interface Route {
  readonly path: string;
  /** In the order in which they run; one without a method stands for all of them. */
  readonly stack: RouteStep[];
}
export interface RouteStep {
  readonly method?: string;
}
type Matcher = (path: string) => { readonly path: string } | false;

export interface ServedRoute {
  /** As the OpenAPI document writes it: "post /api/admin/dead-letters/{id}/replay". */
  readonly name: string;
  readonly method: string;
  readonly path: string;
  readonly route: Route;
}

/**
 * Every method and path that the router would really run, by walking its layers. A router keeps a mount as a matcher, not as
 * text: it is asked which beginning of `knownPaths` it takes, and one that takes none stands in the result as "unknown mount".
 */
export function servedRoutes(app: Express, knownPaths: readonly string[]): ServedRoute[] {
  const { stack } = app.router as unknown as { stack: readonly Layer[] };
  const mounts = beginningsOf(knownPaths);
  return stack
    .filter(({ handle }) => handle.stack)
    .flatMap((layer) =>
      (layer.handle.stack ?? []).flatMap(({ route }) =>
        route ? methodsOf(route, mountOf(layer, mounts)) : [],
      ),
    );
}

/** Longest first: a mount takes the paths below it, too. */
function beginningsOf(paths: readonly string[]): string[] {
  const all = paths.flatMap((path) => {
    const parts = path.split("/").slice(1);
    return parts.map((_, n) => `/${parts.slice(0, n + 1).join("/")}`);
  });
  return [...new Set(all)].sort((a, b) => b.length - a.length);
}

function mountOf(layer: Layer, mounts: readonly string[]): string {
  if (layer.slash) return "";
  const takes = (mount: string) =>
    layer.matchers?.some((match) => {
      const found = match(`${mount}/x`);
      return found !== false && found.path === mount;
    });
  return mounts.find(takes) ?? "unknown mount: ";
}

function methodsOf(route: Route, mount: string): ServedRoute[] {
  const path = `${mount}${route.path}`.replace(/(.)\/$/, "$1").replace(/:(\w+)/g, "{$1}");
  const methods = new Set(route.stack.flatMap(({ method }) => (method === undefined ? [] : [method])));
  return [...methods].map((method) => ({ name: `${method} ${path}`, method, path, route }));
}
