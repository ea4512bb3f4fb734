import type { Request, RequestHandler, Response, Router } from "express";
import { DomainError } from "../../shared/domain/errors.ts";

type Method = "get" | "patch" | "post";
type Handlers = readonly (RequestHandler | ((req: Request, res: Response) => Promise<void>))[];

/** What `serve` puts last on a path: it answers OPTIONS and refuses the rest, hence is no way in. */
const refusals = new WeakSet<object>();
export const isRefusal = (handler: object): boolean => refusals.has(handler);

/**
 * Puts all methods of one path on the router: those given, HEAD where there is GET, OPTIONS, and 405 with `Allow` for
 * every other one.
 */
export function serve(
  router: Router,
  path: string,
  methods: Readonly<Partial<Record<Method, Handlers>>>,
): Router {
  const route = router.route(path);
  const allow = ["OPTIONS"];
  if (methods.get) {
    route.get(...methods.get);
    allow.push("GET", "HEAD");
  }
  if (methods.patch) {
    route.patch(...methods.patch);
    allow.push("PATCH");
  }
  if (methods.post) {
    route.post(...methods.post);
    allow.push("POST");
  }
  allow.sort();
  const refuse: RequestHandler = (req, res) => {
    if (req.method !== "OPTIONS") {
      throw new DomainError("method_not_allowed", "This address does not serve that method.", { allow });
    }
    res.status(204).set("Allow", allow.join(", ")).end();
  };
  refusals.add(refuse);
  route.all(refuse);
  return router;
}
