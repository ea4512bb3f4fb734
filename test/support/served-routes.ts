import type { Express } from "express";
import { isRefusal } from "../../api/routes/serve.ts";

/** One layer of a router's stack: a route, a mounted router, or middleware. */
export interface Layer {
  readonly route?: Route;
  readonly slash?: boolean;
  readonly handle: { readonly name: string; readonly stack?: readonly Layer[] };
  readonly matchers?: readonly Matcher[];
}
interface Route {
  readonly path: string;
  /** In the order in which they run; one without a method stands for all of them. */
  readonly stack: RouteStep[];
}
export interface RouteStep {
  readonly method?: string | undefined;
  readonly handle: object;
}
type Matcher = (path: string) => { readonly path: string } | false;

export interface ServedRoute {
  /** As the OpenAPI document writes it: "post /api/admin/dead-letters/{id}/replay"; "all …" stands for every method. */
  readonly name: string;
  readonly method: string;
  readonly path: string;
  readonly route: Route;
}

/** What the router holds that is no route: middleware, which may answer, too. */
export interface Step {
  /** "security headers", or "use /api/door anonymous" where it is not for all addresses. */
  readonly name: string;
}

const NESTED_MAX = 20;

/**
 * Every method and path that the router would really run, by walking its layers, however deep. A router keeps a mount as
 * a matcher, not as text: it is asked which beginning of `knownPaths` it takes, and one that takes none stands in the
 * result as "unknown mount".
 */
export function servedRoutes(app: Express, knownPaths: readonly string[]): ServedRoute[] {
  return walk(stackOf(app), "", knownPaths).flatMap((found) => ("route" in found ? [found] : []));
}

/** All that is no route, in the order in which a request passes it. */
export function stepsOf(app: Express, knownPaths: readonly string[]): string[] {
  return walk(stackOf(app), "", knownPaths).flatMap((found) => ("route" in found ? [] : [found.name]));
}

const stackOf = (app: Express): readonly Layer[] =>
  (app.router as unknown as { stack: readonly Layer[] }).stack;

function walk(
  stack: readonly Layer[],
  above: string,
  knownPaths: readonly string[],
  depth = 0,
): (ServedRoute | Step)[] {
  if (depth > NESTED_MAX) throw new Error("routers are nested too deep, or in a circle");
  return stack.flatMap((layer) => {
    if (layer.route) return methodsOf(layer.route, above);
    const mount = `${above}${mountOf(layer, beginningsOf(knownPaths, above))}`;
    const { name, stack: inner } = layer.handle;
    if (inner) return walk(inner, mount, knownPaths, depth + 1);
    const what = name === "" ? "anonymous" : name;
    return [{ name: mount === "" ? what : `use ${mount} ${what}` }];
  });
}

/** Longest first: a mount takes the paths below it, too. */
function beginningsOf(paths: readonly string[], above: string): string[] {
  const all = paths
    .filter((path) => path.startsWith(above))
    .flatMap((path) => {
      const parts = path.slice(above.length).split("/").slice(1);
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
  const path = `${mount}${route.path}`
    .replace(/(.)\/$/, "$1")
    .replace(
      /\{\/\*(\w+)\}|\/\*(\w+)/g,
      (_, optional?: string, file?: string) => `/{${optional ?? file ?? ""}}`,
    )
    .replace(/:(\w+)/g, "{$1}");
  const methods = route.stack.flatMap(({ method, handle }) => {
    if (method !== undefined) return [method];
    return isRefusal(handle) ? [] : ["all"];
  });
  return [...new Set(methods)].map((method) => ({ name: `${method} ${path}`, method, path, route }));
}
