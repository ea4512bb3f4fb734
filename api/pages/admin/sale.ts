import { call, Problem } from "../lib/api.ts";
import { fill, h, say } from "../lib/dom.ts";
import { money, number, t } from "../lib/texts.ts";
import { rateChart } from "./chart.ts";
import { consistencyLight } from "./consistency.ts";
import type { Total } from "./control-sheet.ts";
import { guarded } from "./guarded.ts";
import type { Live, LiveSale } from "./live.ts";
import { saleChanges } from "./sale-changes.ts";
import { facts, windowText, type StoredSale } from "./sales.ts";
import type { View } from "./view.ts";

const NUMBERS = ["accepted", "settled", "refused", "undecided", "stock left"] as const;
const COUNTED = ["accepted", "settled", "refused"] as const;

/** A sale as the stream tells of it, or as it is stored: then nobody knows what was answered to its orders. */
type ShownSale = Omit<LiveSale, "accepted" | "refused"> & {
  readonly accepted: number | null;
  readonly refused: number | null;
};

export function saleView(live: Live, id: number): View {
  const standing = saleStanding(id);
  const chart = rateChart();
  const overview = facts(live);
  const light = consistencyLight(id);
  const note = h("p", { class: "note", role: "status", tabindex: -1 });
  let sale: ShownSale | undefined;
  let isLive = false;
  let ended = false;
  const changes = saleChanges(id, note, () => sale, lookUp);
  const watched = h("div", {}, chart.box, h("h2", {}, t("together")), overview.box);
  const rest = h(
    "div",
    {},
    ...[watched, light.box, changes.box],
    h("p", {}, h("a", { href: `#/settlements/${String(id)}` }, t("settlements of sale"))),
  );
  const trouble = h("p", { class: "note", role: "status" });
  const box = h("div", {}, standing.title, trouble, standing.box, rest);
  const endShow = live.show(({ sales }) => {
    const found = sales.find((one) => one.id === id);
    isLive = found !== undefined;
    if (found) show(found);
    chart.show(live.seriesOf(id));
  });
  const timer = setInterval(() => {
    if (sale) standing.tick(sale);
  }, 500);
  // New, ended long ago, one of too many, or none at all: the stream does not tell.
  if (!sale) void guarded(trouble, lookUp);
  return { box, end };

  function end(): void {
    if (ended) return;
    ended = true;
    clearInterval(timer);
    endShow();
    chart.end();
    overview.end();
    light.end();
  }

  function show(shown: ShownSale): void {
    sale = shown;
    say(trouble, isLive || shown.state !== "closed" ? "" : t("not live"));
    watched.hidden = !isLive && shown.state === "closed";
    // A sale that is new is told of within a second; one that ended long ago never again.
    standing.show(shown, isLive || shown.state === "closed" ? t("unknown") : "–");
    changes.show(shown);
  }

  /** As it is stored, while the stream says nothing of it. */
  async function lookUp(): Promise<void> {
    if (streams()) return;
    try {
      const [stored, { totals }] = await Promise.all([
        call<StoredSale>(`/api/products/${String(id)}`),
        call<{ totals: Total[] }>(`/api/settlements/products/${String(id)}/total`),
      ]);
      const settled = totals.reduce((sum, { count }) => sum + count, 0);
      const unknown = { accepted: null, refused: null, undecided: null, perSecond: null };
      // Asked anew: a snapshot may have come meanwhile, and knows more.
      if (!streams())
        show({ ...stored, ...unknown, settled, loaded: true, sold: stored.stock - stored.stockLeft });
    } catch (error) {
      if (!(error instanceof Problem) || error.status !== 404) throw error;
      end();
      fill(box, standing.title, h("p", { class: "note bad", role: "status" }, t("no such sale")));
    }
  }

  /** Asked anew each time: snapshots come while something else is awaited. */
  function streams(): boolean {
    return isLive;
  }
}

/** Its title, state, window and numbers, which change in place. */
function saleStanding(id: number) {
  const title = h("h1", {}, `${t("product")} ${String(id)}`);
  const when = h("span", { class: "figures" });
  const state = h("strong", {});
  const price = h("span", {});
  const sold = h("span", { class: "figures" });
  const bar = h("progress", { "aria-label": t("sold of", 0, 0) });
  const values = new Map(
    NUMBERS.map((name) => [name, { total: h("dd", {}, "–"), rate: h("dd", { class: "quiet" }) }]),
  );
  const tiles = NUMBERS.map((name) =>
    h("div", { "data-number": name }, h("dt", {}, t(name)), values.get(name)?.total, values.get(name)?.rate),
  );
  const box = h(
    "div",
    {},
    h("div", { class: "line" }, h("span", {}, state, " · ", when), price),
    bar,
    h("p", { class: "quiet" }, sold),
    h("dl", { class: "facts" }, ...tiles),
  );
  return { title, box, tick, show };

  function tick(shown: ShownSale): void {
    say(when, windowText(shown));
  }

  function show(shown: ShownSale, unknown: string): void {
    say(title, shown.title);
    say(state, shown.loaded || shown.state === "closed" ? t(shown.state) : t("not loaded"));
    tick(shown);
    say(price, `${money(shown.price, shown.currency)} · ${t("limit", shown.perUserLimit)}`);
    say(sold, t("sold of", number(shown.sold), number(shown.stock)));
    bar.max = shown.stock;
    bar.value = shown.sold;
    bar.setAttribute("aria-label", t("sold of", shown.sold, shown.stock));
    for (const name of NUMBERS) {
      const value = name === "stock left" ? shown.stockLeft : shown[name];
      const counted = COUNTED.find((one) => one === name);
      const rate = counted && shown.perSecond?.[counted];
      const cell = values.get(name);
      if (!cell) continue;
      say(cell.total, value === null ? unknown : number(value));
      cell.total.dataset["value"] = String(value);
      say(cell.rate, rate === undefined ? "" : t("per second", number(Math.round(rate))));
    }
  }
}
