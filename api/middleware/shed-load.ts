import type { Request, RequestHandler } from "express";
import { DomainError } from "../../shared/domain/errors.ts";
import type { Load } from "../load-watch.ts";

const RETRY_AFTER_S = 2;

export interface ShedNotes {
  shed(load: string): void;
}

/**
 * Keeps orders served while there is too much to do: reads and lists are refused first, then everything but orders. What
 * is refused was not begun.
 */
export function shedLoad(loadNow: () => Load, notes: ShedNotes): RequestHandler {
  return (req, _res, next) => {
    const load = loadNow();
    if (load !== "normal" && !isKept(req, load)) {
      notes.shed(load);
      throw new DomainError("not_ready", "There is too much to do right now. Try again shortly.", {
        retryAfterS: RETRY_AFTER_S,
      });
    }
    next();
  };
}

const isKept = (req: Request, load: Load): boolean => (load === "late" ? !isRead(req) : isOrder(req));
const isRead = ({ method }: Request): boolean => method === "GET" || method === "HEAD";
/** As the router takes the path: in any case, with a slash behind it or none. */
const isOrder = ({ method, path }: Request): boolean => method === "POST" && /^\/api\/orders\/?$/i.test(path);
