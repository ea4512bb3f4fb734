import { parseArgs } from "node:util";
import type { CheckOptions } from "../../shared/domain/consistency.ts";

export const HELP = `npm run verify: reads MySQL, Redis and Kafka and reports each invariant: ok, or the rows that break it.

  --product ID       one product; without it all of them, and the users' totals
  --history FILE     also what clients heard, one call a line (docs/operations.md, "verify")
  --wait SECONDS     how long orders under way may take to be decided (30)
  --drained          nothing may be under way after that: what still is counts as broken
  --dead-letters N   how many dead letters there should be; without it they are counted only
  --allow-failed     orders that were accepted and then failed are counted only: Redis has lost data
  --json             one document on standard output
  --help

Exit code 0: everything holds, or waits for orders under way. 1: a rule is broken. 2: it could not be checked.
`;

/** The command line is wrong, or a server away: nothing was checked. */
export class CannotVerify extends Error {
  override readonly name = "CannotVerify";
}

export type Options = ReturnType<typeof readOptions>;

/** @throws CannotVerify with the sentence to show */
export function readOptions(args: readonly string[]) {
  const { values } = parsed(args);
  const productId = whole("--product", values.product, 1);
  const deadLetters = whole("--dead-letters", values["dead-letters"], 0);
  const check: CheckOptions = {
    drained: values.drained,
    allowFailed: values["allow-failed"],
    ...(productId !== undefined && { productId }),
    ...(deadLetters !== undefined && { deadLetters }),
  };
  const waitMs = (whole("--wait", values.wait, 0) ?? 0) * 1_000;
  return { check, waitMs, json: values.json, help: values.help, history: values.history };
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        product: { type: "string" },
        history: { type: "string" },
        wait: { type: "string", default: "30" },
        drained: { type: "boolean", default: false },
        "dead-letters": { type: "string" },
        "allow-failed": { type: "boolean", default: false },
        json: { type: "boolean", default: false },
        help: { type: "boolean", short: "h", default: false },
      },
    });
  } catch (error) {
    throw new CannotVerify(`${error instanceof Error ? error.message : String(error)} See --help.`);
  }
}

function whole(name: string, text: string | undefined, min: number): number | undefined {
  if (text === undefined) return undefined;
  const value = /^\d{1,15}$/.test(text) ? Number(text) : NaN;
  if (value >= min) return value;
  throw new CannotVerify(`${name} must be a whole number of at least ${String(min)}. See --help.`);
}
