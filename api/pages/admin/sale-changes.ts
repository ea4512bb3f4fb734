import { call } from "../lib/api.ts";
import { button, h, say } from "../lib/dom.ts";
import { form, localToIso, whole } from "../lib/form.ts";
import { t } from "../lib/texts.ts";
import type { LiveSale } from "./live.ts";

type ChangingSale = Pick<LiveSale, "stock" | "state">;

/** What may still be changed: of a sale that is over, its title. */
export function saleChanges(
  id: number,
  note: HTMLElement,
  now: () => ChangingSale | undefined,
  changed: () => Promise<void>,
) {
  const change = async (body: object): Promise<void> => {
    say(note, "");
    await call(`/api/products/${String(id)}`, { method: "PATCH", body });
    say(note, t("changed"));
    // The form may be gone by now.
    if (document.activeElement === document.body) note.focus();
    await changed();
  };
  const addStock = form({
    fields: [{ name: "stock", label: t("units to add"), attributes: { inputmode: "numeric" } }],
    submit: t("add stock"),
    work: async ({ stock = "" }) => {
      const units = whole(stock);
      const sale = now();
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
    work: ({ title = "" }) => change({ title }),
  });
  const card = (content: HTMLElement) => h("div", { class: "card" }, content);
  const untilItsEnd = [addStock, endAt, endNow(change)].map(card);
  return {
    box: h(
      "div",
      {},
      h("h2", {}, t("change")),
      note,
      h("div", { class: "changes" }, ...untilItsEnd, card(rename)),
    ),
    show({ state }: ChangingSale): void {
      for (const one of untilItsEnd) {
        const hides = state === "closed" && !one.hidden;
        // Whoever came by keyboard goes on from what came of it.
        if (hides && one.contains(document.activeElement)) note.focus();
        one.hidden = state === "closed";
      }
    },
  };
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
  const back = button(t("keep open"), () => {
    ending.classList.remove("sure");
    first.focus();
  });
  ending.classList.add("twice");
  ending.prepend(first);
  ending.querySelector(".row")?.append(back);
  return ending;
}
