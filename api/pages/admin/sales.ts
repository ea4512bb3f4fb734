import { list } from "../lib/api.ts";
import { countdown, serverNow } from "../lib/clock.ts";
import { button, fill, h, say } from "../lib/dom.ts";
import { duration, instant, number, t } from "../lib/texts.ts";
import { consistencyLight } from "./consistency.ts";
import { guarded } from "./guarded.ts";
import type { Live, LiveSale, Snapshot } from "./live.ts";
import type { View } from "./view.ts";

/** What every server together knows at a glance. */
export function facts(live: Live) {
  const tiles = { undecided: tile("undecided"), oldest: tile("oldest"), lag: tile("lag"), p50: tile("p50") };
  const more = { p99: tile("p99"), letters: tile("dead letters") };
  const all = [...Object.values(tiles), ...Object.values(more)];
  const box = h("dl", { class: "facts" }, ...all.map(({ box: each }) => each));
  const orUnknown = (value: number | null, text: (value: number) => string) =>
    value === null ? t("unknown") : text(value);
  const end = live.show(({ sales, lag, oldestMs, deadLetters, answers }: Snapshot) => {
    const waiting = sales.map(({ undecided }) => undecided);
    const undecided = waiting.includes(null) ? null : waiting.reduce<number>((sum, n) => sum + (n ?? 0), 0);
    tiles.undecided.show(orUnknown(undecided, number), undecided);
    tiles.oldest.show(
      orUnknown(oldestMs, (ms) => (ms === 0 ? t("none") : t("below", duration(ms)))),
      oldestMs,
    );
    tiles.lag.show(
      orUnknown(lag, (n) => t("lag unit", number(n))),
      lag,
    );
    tiles.p50.show(answers.p50Ms === null ? t("none") : duration(answers.p50Ms), answers.p50Ms);
    more.p99.show(answers.p99Ms === null ? t("none") : duration(answers.p99Ms), answers.p99Ms);
    more.letters.show(orUnknown(deadLetters, number), deadLetters);
  });
  return { box, end };

  function tile(label: "undecided" | "oldest" | "lag" | "p50" | "p99" | "dead letters") {
    const value = h("dd", {}, "–");
    return {
      box: h("div", { "data-fact": label }, h("dt", {}, t(label)), value),
      show(text: string, raw: number | null): void {
        say(value, text);
        value.dataset["value"] = String(raw);
      },
    };
  }
}

/** "ends in 01:02:03", by the server's clock. */
export function windowText({ startTime, endTime }: Pick<LiveSale, "startTime" | "endTime">): string {
  const now = serverNow();
  if (now < Date.parse(startTime)) return t("starts in", countdown(Date.parse(startTime) - now));
  if (now < Date.parse(endTime)) return t("ends in", countdown(Date.parse(endTime) - now));
  return t("ended", instant(endTime));
}

/** A sale's card, which changes in place: whoever stands on its link by keyboard stays there. */
function saleCard(id: number) {
  const title = h("a", { href: `#/sales/${String(id)}` });
  const state = h("span", {});
  const when = h("span", { class: "figures" });
  const sold = h("span", { class: "figures" });
  const bar = h("progress", {});
  const box = h(
    "li",
    { class: "card", "data-sale": id },
    h("div", { class: "line" }, h("h3", {}, title), state),
    bar,
    h("div", { class: "line quiet" }, sold, when),
  );
  return { box, show };

  function show(sale: LiveSale): void {
    say(title, sale.title);
    say(state, sale.loaded || sale.state === "closed" ? t(sale.state) : t("not loaded"));
    say(sold, t("sold of", number(sale.sold), number(sale.stock)));
    say(when, windowText(sale));
    bar.max = sale.stock;
    bar.value = sale.sold;
    bar.setAttribute("aria-label", t("sold of", sale.sold, sale.stock));
  }
}

export function salesView(live: Live): View {
  const cards = new Map<number, ReturnType<typeof saleCard>>();
  const running = h("ul", { class: "cards" });
  const empty = h("p", { class: "quiet" });
  const overview = facts(live);
  const light = consistencyLight();
  const older = h("ul", { class: "cards" });
  let shown: readonly LiveSale[] = [];
  const endShow = live.show(({ sales }) => {
    shown = sales;
    draw();
  });
  const timer = setInterval(draw, 500);
  const box = h(
    "div",
    {},
    h("h1", {}, t("sales")),
    overview.box,
    light.box,
    h("div", { class: "tools" }, h("a", { href: "#/new", class: "button" }, t("new sale"))),
    running,
    empty,
    h("h2", {}, t("older sales")),
    older,
    olderSales(older, (id) => shown.some((sale) => sale.id === id)),
  );
  return {
    box,
    end: () => {
      clearInterval(timer);
      endShow();
      overview.end();
      light.end();
    },
  };

  function draw(): void {
    say(empty, shown.length === 0 ? t("no sales") : "");
    for (const sale of shown) {
      const card = cards.get(sale.id) ?? saleCard(sale.id);
      cards.set(sale.id, card);
      card.show(sale);
    }
    const wanted = shown.map(({ id }) => cards.get(id)?.box);
    const same =
      wanted.length === running.children.length && wanted.every((box, i) => box === running.children[i]);
    if (!same) fill(running, ...wanted);
  }
}

/** As `GET /api/products` tells of it. */
export type StoredSale = Omit<
  LiveSale,
  "sold" | "loaded" | "undecided" | "perSecond" | "accepted" | "settled" | "refused"
>;
/** Pages asked for at one click while they hold nothing to show. */
const PAGES_PER_CLICK_MAX = 10;

/** By the page, when somebody asks; what is shown live above is left out. */
function olderSales(target: HTMLElement, isLive: (id: number) => boolean): HTMLElement {
  let cursor: string | null = "";
  const note = h("p", { class: "note", role: "status" });
  const more = button(t("more"), () => guarded(note, loadSome));
  return h("div", {}, note, more);

  async function loadSome(): Promise<void> {
    const before = target.children.length;
    for (let pages = 0; pages < PAGES_PER_CLICK_MAX && target.children.length === before; pages += 1) {
      if (cursor === null) break;
      await load();
    }
    more.hidden = cursor === null;
    say(note, more.hidden && target.children.length === 0 ? t("none") : "");
  }

  async function load(): Promise<void> {
    const after = cursor ? `&cursor=${encodeURIComponent(cursor)}` : "";
    const { data, meta } = await list<StoredSale>(`/api/products?limit=20${after}`);
    cursor = meta.nextCursor;
    for (const { id, title, stock, stockLeft, startTime, endTime } of data.filter(
      (sale) => !isLive(sale.id),
    )) {
      const link = h("a", { href: `#/sales/${String(id)}` }, title);
      const sold = t("sold of", number(stock - stockLeft), number(stock));
      const text = `${sold} · ${windowText({ startTime, endTime })}`;
      target.append(h("li", { class: "card" }, h("h3", {}, link), h("div", { class: "quiet" }, text)));
    }
  }
}
