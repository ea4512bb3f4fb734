import type { RequestHandler, Response } from "express";

/**
 * What a middleware sets on every answer alike, found out once: helmet passes each answer through a dozen functions to set
 * the same headers again.
 * @param middleware one that sets headers at once and looks at no request
 */
export function constantHeaders(middleware: RequestHandler): RequestHandler {
  const headers = new Map<string, string>();
  const recorder = {
    setHeader: (name: string, value: string) => void headers.set(name, value),
    removeHeader: (name: string) => void headers.delete(name),
  };
  const done: true[] = [];
  void middleware({} as never, recorder as unknown as Response, () => void done.push(true));
  if (done.length === 0) throw new Error("these headers are not known at once");
  const entries = [...headers];
  return (_req, res, next) => {
    for (const [name, value] of entries) res.setHeader(name, value);
    next();
  };
}
