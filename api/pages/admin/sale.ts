import { call } from "../lib/api.ts";
import { button, h, say } from "../lib/dom.ts";
import { form, localToIso, whole } from "../lib/form.ts";
import { money, number, t } from "../lib/texts.ts";
import { rateChart } from "./chart.ts";
import { consistencyLight } from "./consistency.ts";
import type { Live, LiveSale } from "./live.ts";
import { facts, windowText } from "./sales.ts";
import type { View } from "./view.ts";

const NUMBERS = ["accepted", "settled", "refused", "undecided", "stock left"] as const;

export function saleView(live: Live, id: number): View {
  const title = h("h1", {}, `${t("product")} ${String(id)}`);
  const when = h("span", { class: "figures" });
  const state = h("strong", {});
  const price = h("span", {});
  const sold = h("span", { class: "figures" });
  const bar = h("progress", {});
  const values = new Map(
    NUMBERS.map((name) => [name, { total: h("dd", {}, "–"), rate: h("dd", { class: "quiet" }) }]),
  );
  const tiles = NUMBERS.map((name) =>
    h("div", { "data-number": name }, h("dt", {}, t(name)), values.get(name)?.total, values.get(name)?.rate),
  );
  const chart = rateChart();
  const overview = facts(live);
  const light = consistencyLight(id);
  const note = h("p", { class: "note", role: "status" });
  let sale: LiveSale | undefined;
  const endShow = live.show(({ sales }) => {
    sale = sales.find((one) => one.id === id);
    if (sale) show(sale);
    chart.show(live.seriesOf(id));
  });
  const timer = setInterval(() => {
    if (sale) say(when, windowText(sale));
  }, 500);
  const box = h(
    "div",
    {},
    title,
    h("div", { class: "line" }, h("span", {}, state, " · ", when), price),
    bar,
    h("p", { class: "quiet" }, sold),
    h("dl", { class: "facts" }, ...tiles),
    chart.box,
    h("h2", {}, t("together")),
    overview.box,
    light.box,
    h("h2", {}, t("change")),
    note,
    ...changes(),
    h("p", {}, h("a", { href: `#/settlements/${String(id)}` }, t("settlements of sale"))),
  );
  return {
    box,
    end: () => {
      clearInterval(timer);
      endShow();
      chart.end();
      overview.end();
      light.end();
    },
  };

  function show(shown: LiveSale): void {
    say(title, shown.title);
    say(state, shown.loaded || shown.state === "closed" ? t(shown.state) : t("not loaded"));
    say(when, windowText(shown));
    say(price, `${money(shown.price, shown.currency)} · ${t("limit", shown.perUserLimit)}`);
    say(sold, t("sold of", number(shown.sold), number(shown.stock)));
    bar.max = shown.stock;
    bar.value = shown.sold;
    bar.setAttribute("aria-label", t("sold of", shown.sold, shown.stock));
    for (const name of NUMBERS) {
      const value = name === "stock left" ? shown.stockLeft : shown[name];
      const rate = name === "undecided" || name === "stock left" ? undefined : shown.perSecond?.[name];
      const cell = values.get(name);
      if (!cell) continue;
      say(cell.total, value === null ? t("unknown") : number(value));
      cell.total.dataset["value"] = String(value);
      say(cell.rate, rate === undefined ? "" : t("per second", number(Math.round(rate))));
    }
  }

  function changes(): HTMLElement[] {
    const change = async (body: object): Promise<void> => {
      say(note, "");
      await call(`/api/products/${String(id)}`, { method: "PATCH", body });
      say(note, t("changed"));
    };
    const addStock = form({
      fields: [{ name: "stock", label: t("units to add"), attributes: { inputmode: "numeric" } }],
      submit: t("add stock"),
      work: async ({ stock = "" }) => {
        const units = whole(stock);
        // The API takes the new stock itself: sent twice, it is added once.
        await change({ stock: typeof units === "number" && sale ? sale.stock + units : (units ?? "") });
      },
    });
    const endAt = form({
      fields: [{ name: "endTime", label: t("end at"), attributes: { type: "datetime-local", step: 1 } }],
      submit: t("end earlier"),
      work: ({ endTime = "" }) => change({ endTime: localToIso(endTime) ?? "" }),
    });
    const rename = form({
      fields: [{ name: "title", label: t("title"), attributes: { maxlength: 200 } }],
      submit: t("rename"),
      work: ({ title: text = "" }) => change({ title: text }),
    });
    return [addStock, endAt, endNow(change), rename].map((each) => h("div", { class: "card change" }, each));
  }
}

/** Ending a sale cannot be undone: it is asked for twice. */
function endNow(change: (body: object) => Promise<void>): HTMLFormElement {
  const ending = form({
    fields: [],
    submit: t("end now?"),
    danger: true,
    work: () => change({ endTime: "now" }),
  });
  const first = button(
    t("end now"),
    () => {
      ending.classList.add("sure");
      ending.querySelector<HTMLButtonElement>("[type=submit]")?.focus();
    },
    { class: "danger" },
  );
  ending.classList.add("twice");
  ending.prepend(first);
  return ending;
}
