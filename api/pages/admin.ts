import "./admin.css";
import { letterView, lettersView } from "./admin/letters.ts";
import { watchLive, type Live } from "./admin/live.ts";
import { newSaleView } from "./admin/new-sale.ts";
import { saleView } from "./admin/sale.ts";
import { salesView } from "./admin/sales.ts";
import { settlementsView } from "./admin/settlements.ts";
import type { View } from "./admin/view.ts";
import { logIn, logOut } from "./lib/account.ts";
import { Problem } from "./lib/api.ts";
import { button, fill, h, say } from "./lib/dom.ts";
import { credentials, form } from "./lib/form.ts";
import { keepSession, readSession } from "./lib/session.ts";
import { switchLanguage, t } from "./lib/texts.ts";

const page = document.querySelector("#page") ?? document.body;
const PAGES = [
  ["#/", t("sales")],
  ["#/new", t("new sale")],
  ["#/letters", t("dead letters")],
  ["#/settlements", t("settlements")],
] as const;

start();

function start(notice = ""): void {
  const session = readSession();
  if (session?.role === "admin") open(session.username);
  else askToLogIn(notice);
}

function frame(...tools: readonly HTMLElement[]) {
  const main = h("main", { id: "main", tabindex: -1 });
  const skip = h("a", { class: "skip", href: "#main" }, t("skip"));
  skip.addEventListener("click", (event) => {
    event.preventDefault();
    main.focus();
  });
  const brand = h("a", { class: "brand", href: "#/" }, "FlashPay");
  const language = button(t("language"), switchLanguage, { "data-language": true });
  fill(page, skip, h("header", {}, brand, ...tools, language), main);
  return main;
}

function askToLogIn(notice: string): void {
  const main = frame(h("nav", { "aria-label": "FlashPay" }, h("a", { href: "/" }, t("to buyers"))));
  const entry = form({
    fields: credentials,
    submit: t("log in"),
    work: async ({ username = "", password = "" }) => {
      const session = await logIn(username, password);
      if (session.role !== "admin") throw new Problem(403, "admins_only", "");
      keepSession(session);
      start();
    },
  });
  fill(main, h("h1", {}, t("log in")), h("p", { class: "note", role: "status" }, notice), entry);
  main.querySelector("input")?.focus();
}

function open(username: string): void {
  const light = h("span", { class: "light warn", role: "status" }, t("connecting"));
  const links = PAGES.map(([address, name]) => h("a", { href: address }, name));
  const live = watchLive(() => {
    leave(t("session over"));
  });
  live.onState((there) => {
    light.className = `light ${there ? "good" : "warn"}`;
    say(light, t(there ? "live" : "connecting"));
  });
  const out = button(t("log out"), async () => {
    await logOut();
    leave("");
  });
  const main = frame(
    h("nav", { "aria-label": "FlashPay" }, ...links),
    light,
    h("span", { class: "quiet" }, t("signed in as", username)),
    out,
  );
  let view: View | undefined;
  let opened = false;
  const route = (): void => {
    view?.end();
    view = viewAt(location.hash, live);
    fill(main, view.box);
    document.title = `${view.box.querySelector("h1")?.textContent ?? ""} · FlashPay`;
    for (const link of links) {
      if (link.hash === (location.hash || "#/")) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
    // A new view begins at its top, for readers of screens, too.
    if (opened) main.focus();
    opened = true;
    scrollTo(0, 0);
  };
  window.addEventListener("hashchange", route);
  route();

  function leave(notice: string): void {
    window.removeEventListener("hashchange", route);
    live.end();
    view?.end();
    keepSession(null);
    start(notice);
  }
}

function viewAt(hash: string, live: Live): View {
  const [, name, id] = hash.split("/");
  const number = id !== undefined && /^\d{1,15}$/.test(id) ? Number(id) : undefined;
  if (name === "sales" && number !== undefined) return saleView(live, number);
  if (name === "new") return newSaleView();
  if (name === "letters") return number === undefined ? lettersView() : letterView(number);
  if (name === "settlements") return settlementsView(number);
  return salesView(live);
}
