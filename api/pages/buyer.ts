import "./buyer.css";
import { saleCard, stateNow, type Sale, type Shop } from "./buyer/sales.ts";
import type { Order } from "./buyer/attempt.ts";
import { logIn, logOut } from "./lib/account.ts";
import { call, list, Problem } from "./lib/api.ts";
import { button, fill, h, say } from "./lib/dom.ts";
import { credentials, form } from "./lib/form.ts";
import { keepSession, readSession } from "./lib/session.ts";
import { codeText, instant, money, switchLanguage, t } from "./lib/texts.ts";

const REFRESH_EVERY_MS = 2_000;
const DRAW_EVERY_MS = 250;
const SALES_SHOWN_MAX = 50;
const ORDERS_SHOWN = 10;
const GROUPS = ["now on sale", "next", "over"] as const;

const page = document.querySelector("#page") ?? document.body;
const cards = new Map<number, ReturnType<typeof saleCard>>();
const lists = new Map(GROUPS.map((group) => [group, h("ul", { class: "cards" })]));
const sections = new Map(
  GROUPS.map((group) => [group, h("section", {}, h("h2", {}, t(group)), lists.get(group))]),
);
const nothing = h("p", { class: "quiet" });
const trouble = h("p", { class: "note bad", role: "status" });
const account = h("div", {});
const orders = h("section", { id: "orders" });
const who = h("span", { class: "quiet" });
const out = button(t("log out"), async () => {
  await logOut();
  location.reload();
});
let sales: readonly Sale[] = [];

const shop: Shop = {
  signedIn: () => readSession() !== null,
  signedOut: () => {
    keepSession(null);
    drawAccount(t("session over"));
  },
  moved: () => {
    void refresh();
    void showOrders();
  },
};

fill(
  page,
  h(
    "header",
    {},
    h("a", { class: "brand", href: "/" }, "FlashPay"),
    h("nav", { "aria-label": "FlashPay" }),
    who,
    out,
    button(t("language"), switchLanguage, { "data-language": true }),
  ),
  h("main", {}, h("h1", {}, t("sales")), trouble, nothing, ...sections.values(), account, orders),
);
drawAccount();
void showOrders();
void refresh();
setInterval(draw, DRAW_EVERY_MS);
setInterval(() => {
  if (!document.hidden) void refresh();
}, REFRESH_EVERY_MS);

async function refresh(): Promise<void> {
  try {
    sales = (await list<Sale>(`/api/products?limit=${String(SALES_SHOWN_MAX)}`)).data;
    say(trouble, "");
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    say(trouble, codeText(error.code, error.message));
    return;
  }
  for (const sale of sales) {
    const known = cards.get(sale.id);
    if (known) known.show(sale);
    else cards.set(sale.id, saleCard(sale, shop));
  }
  draw();
}

/** By the server's clock: a sale moves from "next" to "now" without waiting for an answer. */
function draw(): void {
  const groups = new Map<(typeof GROUPS)[number], Node[]>(GROUPS.map((group) => [group, []]));
  const soonest = [...sales].sort((a, b) => Date.parse(a.startTime) - Date.parse(b.startTime));
  for (const sale of soonest) {
    const card = cards.get(sale.id);
    if (!card) continue;
    card.draw();
    const state = stateNow(sale);
    groups.get(state === "closed" ? "over" : state === "scheduled" ? "next" : "now on sale")?.push(card.box);
  }
  for (const [group, boxes] of groups) {
    const target = lists.get(group);
    const section = sections.get(group);
    if (!target || !section) continue;
    section.hidden = boxes.length === 0;
    const same =
      boxes.length === target.children.length && boxes.every((box, i) => box === target.children[i]);
    if (!same) target.replaceChildren(...boxes);
  }
  say(nothing, sales.length > 0 && groups.get("now on sale")?.length === 0 ? t("nothing now") : "");
}

function drawAccount(notice = ""): void {
  const session = readSession();
  say(who, session ? t("signed in as", session.username) : "");
  out.hidden = session === null;
  draw();
  const note = h("p", { class: "note", role: "status" }, notice);
  if (session) {
    fill(account, note);
    return;
  }
  const enter = async (username: string, password: string): Promise<void> => {
    keepSession(await logIn(username, password));
    drawAccount();
    for (const card of cards.values()) card.resume();
    shop.moved();
  };
  const logInForm = form({
    fields: credentials,
    submit: t("log in"),
    work: ({ username = "", password = "" }) => enter(username, password),
  });
  const signUpForm = form({
    fields: [
      {
        name: "username",
        label: t("username"),
        attributes: { autocomplete: "username", autocapitalize: "none" },
      },
      { name: "email", label: t("email"), attributes: { type: "email", autocomplete: "email" } },
      {
        name: "password",
        label: t("password"),
        attributes: { type: "password", autocomplete: "new-password" },
      },
    ],
    submit: t("sign up"),
    work: async ({ username = "", email = "", password = "" }) => {
      await call("/api/users/signup", { method: "POST", body: { username, email, password } });
      await enter(username, password);
      say(trouble, "");
      fill(account, h("p", { class: "note", role: "status" }, t("account made", username)));
    },
  });
  const half = (name: string, content: HTMLElement, id: string) =>
    h("section", { class: "card", id }, h("h2", {}, name), content);
  fill(
    account,
    note,
    h(
      "div",
      { class: "entry" },
      half(t("log in"), logInForm, "log-in"),
      half(t("sign up"), signUpForm, "sign-up"),
    ),
  );
}

async function showOrders(): Promise<void> {
  if (!shop.signedIn()) {
    fill(orders);
    return;
  }
  try {
    const { data } = await list<Order>(`/api/orders?limit=${String(ORDERS_SHOWN)}`);
    const titleOf = (id: number) => sales.find((sale) => sale.id === id)?.title ?? `#${String(id)}`;
    const rows = data.map(({ productId, status, amount, currency, acceptedAt, failReason = "" }) => {
      const detail = {
        PENDING: "",
        SUCCESS: money(amount, currency),
        FAILED: codeText(failReason, failReason),
      };
      return h(
        "li",
        {},
        `${titleOf(productId)}: ${t(status, detail[status])} `,
        h("span", { class: "quiet" }, instant(acceptedAt)),
      );
    });
    fill(orders, ...(rows.length > 0 ? [h("h2", {}, t("my orders")), h("ul", {}, ...rows)] : []));
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    if (error.status === 401) shop.signedOut();
  }
}
