import { call, download, list } from "../lib/api.ts";
import { button, fill, h, say } from "../lib/dom.ts";
import { instant, money, number, t } from "../lib/texts.ts";
import { controlSheet, type Sheet, type Total } from "./control-sheet.ts";
import { guarded } from "./guarded.ts";
import type { View } from "./view.ts";

/** Where the API writes settlements as a file. */
const csvPath = (productId: number | undefined): string =>
  `/api/settlements/export${productId === undefined ? "" : `?productId=${String(productId)}`}`;
const CSV_TIMEOUT_MS = 600_000;
/** For as long as the browser may take to write the file. */
const KEPT_MS = 60_000;

interface Settlement {
  readonly id: number;
  readonly orderId: string;
  readonly userId: number;
  readonly productId: number;
  readonly amount: number;
  readonly currency: string;
  readonly settledAt: string;
}

/** Of one sale, with its totals, or of all. */
export function settlementsView(productId?: number): View {
  const scope =
    productId === undefined ? "/api/settlements" : `/api/settlements/products/${String(productId)}`;
  const note = h("p", { class: "note", role: "status" });
  const totals = h("dl", { class: "facts sums" });
  const rows = h("tbody", {});
  const select = h("select", { id: "product" });
  let cursor: string | null = null;
  const more = button(t("more"), () => guarded(note, load));
  more.hidden = true;
  // Of the file alone: what comes of the list must not take it away.
  const fileNote = h("p", { class: "note", role: "status" });
  const sheet = h("div", {});
  const csv = button(t("csv"), () => guarded(fileNote, take), { "data-csv": csvPath(productId) });
  const head = ["product", "order", "user", "amount", "settled at"] as const;
  const columns = head.map((name) =>
    h("th", { scope: "col", class: name === "amount" ? "figures" : undefined }, t(name)),
  );
  select.addEventListener("change", () => {
    location.hash = select.value ? `#/settlements/${select.value}` : "#/settlements";
  });
  void guarded(note, async () => {
    await Promise.all([offerSales(), showTotals(), load()]);
  });
  const box = h(
    "div",
    {},
    h("h1", {}, t("settlements")),
    h("div", { class: "tools" }, h("label", { for: "product" }, t("product")), select, csv),
    totals,
    fileNote,
    sheet,
    note,
    h(
      "div",
      { class: "scroll", tabindex: 0, role: "region", "aria-label": t("settlements") },
      h("table", {}, h("thead", {}, h("tr", {}, ...columns)), rows),
    ),
    more,
  );
  return { box, end: () => undefined };

  async function offerSales(): Promise<void> {
    const { data } = await list<{ id: number; title: string }>("/api/products?limit=100");
    const known = data.some(({ id }) => id === productId);
    fill(
      select,
      h("option", { value: "" }, t("all sales")),
      ...data.map(({ id, title }) => h("option", { value: id }, `${String(id)} · ${title}`)),
      productId !== undefined && !known && h("option", { value: productId }, String(productId)),
    );
    select.value = productId === undefined ? "" : String(productId);
  }

  async function showTotals(): Promise<void> {
    const { totals: all } = await call<{ totals: Total[] }>(`${scope}/total`);
    fill(
      totals,
      ...all.flatMap(({ currency, count, amount }) => [
        fact("count", "count", number(count), currency),
        fact("total", "amount", money(amount, currency), currency),
      ]),
    );
  }

  async function load(): Promise<void> {
    const after = cursor ? `&cursor=${encodeURIComponent(cursor)}` : "";
    const { data, meta } = await list<Settlement>(`${scope}?limit=20${after}`);
    cursor = meta.nextCursor;
    more.hidden = cursor === null;
    rows.append(...data.map(row));
    say(note, rows.children.length === 0 ? t("no settlements") : "");
  }

  async function take(): Promise<void> {
    fill(sheet);
    say(fileNote, t("csv coming"));
    const { file, description } = await download(csvPath(productId), CSV_TIMEOUT_MS);
    const address = URL.createObjectURL(file);
    const name = productId === undefined ? "settlements.csv" : `settlements-${String(productId)}.csv`;
    h("a", { href: address, download: name }).click();
    setTimeout(() => {
      URL.revokeObjectURL(address);
    }, KEPT_MS);
    say(fileNote, t("csv there", name));
    if (description === undefined) return;
    // The file is there, whatever becomes of this: it has words of its own.
    const trouble = h("p", { class: "note", role: "status" });
    fill(sheet, trouble);
    await guarded(trouble, async () => {
      fill(sheet, controlSheet(name, await call<Sheet>(description)));
    });
  }
}

const fact = (label: "count" | "total", name: string, value: string, currency: string): HTMLElement =>
  h("div", {}, h("dt", {}, `${t(label)} · ${currency}`), h("dd", { "data-total": name }, value));

function row({ orderId, userId, productId, amount, currency, settledAt }: Settlement): HTMLElement {
  return h(
    "tr",
    {},
    h("td", {}, productId),
    h("td", {}, orderId),
    h("td", {}, userId),
    h("td", { class: "figures" }, money(amount, currency)),
    h("td", {}, instant(settledAt)),
  );
}
