import { countdown, serverNow } from "../lib/clock.ts";
import { button, h, say } from "../lib/dom.ts";
import { codeText, money, number, t } from "../lib/texts.ts";
import { attemptOf, buy, type Order, type Step } from "./attempt.ts";

export interface Sale {
  readonly id: number;
  readonly title: string;
  readonly price: number;
  readonly currency: string;
  readonly stock: number;
  readonly stockLeft: number;
  readonly startTime: string;
  readonly endTime: string;
  readonly perUserLimit: number;
  readonly state: "scheduled" | "open" | "sold_out" | "closed";
}

export interface Shop {
  readonly signedIn: () => boolean;
  /** The session turned out to be over. */
  readonly signedOut: () => void;
  /** Units were taken or refused: what is left is another number. */
  readonly moved: () => void;
}

/** Where a sale stands by the server's clock, also between two answers. */
export function stateNow({ state, startTime, endTime }: Sale): Sale["state"] {
  const now = serverNow();
  if (now >= Date.parse(endTime)) return "closed";
  if (state === "scheduled" && now >= Date.parse(startTime)) return "open";
  return state;
}

/** One sale, which changes in place. */
export function saleCard(first: Sale, shop: Shop) {
  let sale = first;
  const { id } = first;
  const title = h("h3", {});
  const when = h("strong", { class: "figures" });
  const price = h("span", {});
  const left = h("span", { class: "figures" });
  const bar = h("progress", {});
  const news = h("p", { class: "note", role: "status" });
  const buying = button("", buyOne, { class: "main", "data-buy": id });
  const box = h(
    "li",
    { class: "card", "data-sale": id },
    h("div", { class: "line" }, title, when),
    h("div", { class: "line" }, price, left),
    bar,
    h("div", { class: "tools" }, buying),
    news,
  );
  draw();
  // It was PENDING when the page was left.
  if (shop.signedIn() && attemptOf(id) !== "none") void buyOne();
  return {
    box,
    draw,
    /** Somebody has logged in: what that buyer ordered is followed on; what got no answer waits for a click. */
    resume(): void {
      const attempt = attemptOf(id);
      say(news, attempt === "unanswered" ? t("gave up") : "");
      news.classList.remove("bad");
      if (attempt === "ordered") void buyOne();
    },
    show(next: Sale): void {
      sale = next;
      draw();
    },
  };

  function draw(): void {
    const state = stateNow(sale);
    const now = serverNow();
    say(title, sale.title);
    const starts = t("starts in", countdown(Date.parse(sale.startTime) - now));
    const ends = t("ends in", countdown(Date.parse(sale.endTime) - now));
    say(when, state === "scheduled" ? starts : state === "open" ? ends : t(state));
    say(price, `${money(sale.price, sale.currency)} · ${t("limit", sale.perUserLimit)}`);
    say(left, t("left", number(sale.stockLeft)));
    bar.max = sale.stock;
    bar.value = sale.stockLeft;
    bar.setAttribute("aria-label", t("left", sale.stockLeft));
    buying.hidden = state !== "open" && attemptOf(id) === "none";
    say(buying, t(shop.signedIn() ? "buy" : "log in to buy"));
    buying.setAttribute("aria-label", shop.signedIn() ? t("buy title", sale.title) : t("log in to buy"));
  }

  async function buyOne(): Promise<void> {
    if (!shop.signedIn()) {
      document.querySelector<HTMLInputElement>("form input")?.focus();
      return;
    }
    await buy(id, tell);
    shop.moved();
  }

  function tell(step: Step): void {
    news.classList.toggle("bad", step.kind === "refused");
    switch (step.kind) {
      case "order":
        sayOrder(step.order);
        return;
      case "refused":
        say(news, codeText(step.problem.code, step.problem.message));
        if (step.problem.status === 401) shop.signedOut();
        return;
      default:
        say(news, t(step.kind));
    }
  }

  function sayOrder({ orderId, status, amount, currency, failReason = "" }: Order): void {
    news.dataset["order"] = orderId;
    news.dataset["status"] = status;
    news.classList.toggle("bad", status === "FAILED");
    const detail = {
      PENDING: "",
      SUCCESS: money(amount, currency),
      FAILED: codeText(failReason, failReason),
    };
    say(news, t(status, detail[status]));
  }
}
