import { h } from "../lib/dom.ts";
import { instant, money, number, t } from "../lib/texts.ts";

export interface Total {
  readonly currency: string;
  readonly count: number;
  readonly amount: number;
}

/** What the API says of a file that it has written to its end. */
export interface Sheet {
  readonly takenAt: string;
  readonly count: number;
  readonly firstId: number | null;
  readonly lastId: number | null;
  readonly totals: readonly Total[];
  readonly bytes: number;
  readonly sha256: string;
}

/** What an accountant holds the file against. */
export function controlSheet(name: string, sheet: Sheet): HTMLElement {
  const { takenAt, count, firstId, lastId, totals, bytes, sha256 } = sheet;
  const fact = (key: string, label: string, value: string, whole = false) =>
    h(
      "div",
      { class: whole ? "whole" : undefined },
      h("dt", {}, label),
      h("dd", { "data-sheet": key }, value),
    );
  const sums = totals.map(({ currency, count: rows, amount }) =>
    fact(`amount-${currency}`, `${t("total")} · ${currency}`, `${money(amount, currency)} (${number(rows)})`),
  );
  return h(
    "section",
    { class: "card sheet" },
    h("h2", {}, t("control sheet", name)),
    h(
      "dl",
      { class: "plain" },
      fact("takenAt", t("taken at"), instant(takenAt)),
      fact("count", t("count"), number(count)),
      ...sums,
      fact("ids", t("ids"), firstId === null ? t("none") : `${String(firstId)} – ${String(lastId)}`),
      fact("bytes", t("bytes"), number(bytes)),
      fact("sha256", "SHA-256", sha256, true),
    ),
  );
}
