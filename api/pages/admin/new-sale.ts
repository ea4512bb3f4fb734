import { call } from "../lib/api.ts";
import { serverNow } from "../lib/clock.ts";
import { h } from "../lib/dom.ts";
import { form, localToIso, whole, type Field } from "../lib/form.ts";
import { t } from "../lib/texts.ts";
import type { View } from "./view.ts";

const time = { type: "datetime-local", step: 1 };
const digits = { inputmode: "numeric" };

export function newSaleView(): View {
  const fields: Field[] = [
    { name: "title", label: t("title"), attributes: { maxlength: 200 } },
    { name: "price", label: t("price"), hint: t("price hint"), attributes: digits },
    { name: "currency", label: t("currency"), attributes: { value: "KRW", maxlength: 3 } },
    { name: "stock", label: t("stock"), attributes: digits },
    { name: "perUserLimit", label: t("per user"), attributes: { ...digits, value: "1" } },
    { name: "startTime", label: t("starts"), hint: t("start hint"), attributes: time },
    { name: "endTime", label: t("ends"), hint: t("end hint"), attributes: time },
  ];
  const opening = form({
    fields,
    submit: t("open sale"),
    work: async ({
      title = "",
      price = "",
      currency = "",
      stock = "",
      perUserLimit = "",
      startTime = "",
      endTime = "",
    }) => {
      const sale = await call<{ id: number }>("/api/products", {
        method: "POST",
        body: {
          ...{ title, price: whole(price), currency, stock: whole(stock), perUserLimit: whole(perUserLimit) },
          startTime: localToIso(startTime) ?? new Date(serverNow()).toISOString(),
          ...(endTime !== "" && { endTime: localToIso(endTime) ?? endTime }),
        },
      });
      location.hash = `#/sales/${String(sale.id)}`;
    },
  });
  return { box: h("div", {}, h("h1", {}, t("new sale")), opening), end: () => undefined };
}
