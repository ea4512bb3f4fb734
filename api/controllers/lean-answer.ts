import type { Request, Response } from "express";

/** Shared by all: nothing is added to what was forgotten. */
const NOTHING = Object.freeze({});
const NO_PAIRS: string[] = [];
/** That there was a head is all that Node.js asks of its text once it is sent. */
const SENT = "sent";

/** Fields that Node.js and Express keep for as long as an answer is open; a version that has others keeps a little more. */
interface KeptByAnswer {
  _header?: unknown;
  readonly _headerSent?: boolean;
  [headers: symbol]: unknown;
}

/**
 * Lets go of what an answer has no use for once its head is sent: the head itself (a rope of 80 pieces, and a table of as many
 * fields as helmet sets), the request's headers, and the way through the routers. Half of what an open stream costs, of which
 * there are thousands; whoever logs the end of the request finds method, address and context where they were.
 */
export function forgetHead(res: Response): void {
  const answer = res as unknown as KeptByAnswer;
  if (answer._headerSent !== true) return;
  answer._header = SENT;
  for (const symbol of Object.getOwnPropertySymbols(res))
    if (symbol.description === "kOutHeaders") answer[symbol] = null;
  const request = res.req as Omit<Request, "next"> & { next?: unknown };
  request.headers = NOTHING;
  request.rawHeaders = NO_PAIRS;
  request.next = undefined;
}
