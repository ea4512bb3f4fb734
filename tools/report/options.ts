import { parseArgs } from "node:util";
import { StartRefused } from "../../shared/config.ts";
import { reportWish } from "../../api/controllers/report-schemas.ts";
import type { ReportWish } from "../../shared/domain/report.ts";

export const HELP = `npm run report: writes settlements of one instant into a CSV file, and a control sheet beside it.

  npm run report -- --from 2027-01-01 --to 2027-02-01
    --from, --to    a day of REPORT_TIME_ZONE (UTC), or an instant like 2027-01-01T09:00:00.000Z; --to is not part of it
    --product ID    only of this product
    --user ID       only of this user
    --daily         instead: sums by day, product and currency
    --out FILE      settlements.csv, or daily.csv with --daily; a file that is there already is never overwritten
    --help

The control sheet is FILE.control.json: count and sum a currency, first and last id, bytes and SHA-256 of FILE. FILE appears
when it is whole. Exit code 1: there is no file, and one sentence says why.
`;

export interface Options {
  readonly help: boolean;
  readonly daily: boolean;
  readonly out: string;
  readonly wish: ReportWish;
}

/** @throws StartRefused with the sentence to show */
export function readOptions(args: readonly string[]): Options {
  const values = parsed(args);
  const { from, to, product: productId, user: userId, daily, help } = values;
  const result = reportWish.validate({ from, to, productId, userId }, { errors: { wrap: { label: false } } });
  if (result.error) {
    const { error } = result;
    const flag = String(error.details[0]?.path[0]).replace(/Id$/, "");
    throw new StartRefused(`--${error.message.replace(/^\w+/, flag)}. See --help.`);
  }
  return { help, daily, out: values.out ?? (daily ? "daily.csv" : "settlements.csv"), wish: result.value };
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        ...{ from: { type: "string" }, to: { type: "string" } },
        ...{ product: { type: "string" }, user: { type: "string" }, out: { type: "string" } },
        daily: { type: "boolean", default: false },
        help: { type: "boolean", short: "h", default: false },
      },
    }).values;
  } catch (error) {
    throw new StartRefused(`${error instanceof Error ? error.message : String(error)} See --help.`);
  }
}
