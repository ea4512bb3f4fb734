import { call, list } from "../lib/api.ts";
import { button, fill, h, say } from "../lib/dom.ts";
import { form } from "../lib/form.ts";
import { instant, number, t } from "../lib/texts.ts";
import { guarded } from "./guarded.ts";
import type { View } from "./view.ts";

const STATUSES = ["parked", "replayed", "discarded"] as const;
type Status = (typeof STATUSES)[number];

interface Letter {
  readonly id: number;
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly orderId: string | null;
  readonly error: string;
  readonly status: Status;
  readonly parkedAt: string;
}
interface WholeLetter extends Letter {
  readonly value: { readonly encoding: string; readonly content: string } | null;
  readonly orderStatus: string | null;
  readonly audit: readonly {
    readonly at: string;
    readonly admin: { readonly username: string };
    readonly action: string;
    readonly outcome: string;
    readonly reason: string | null;
  }[];
}

export function lettersView(): View {
  const rows = h("ul", { class: "cards" });
  const note = h("p", { class: "note", role: "status" });
  const status = h("select", { id: "status" });
  status.append(
    ...[...STATUSES, "all" as const].map((one) => h("option", { value: one === "all" ? "" : one }, t(one))),
  );
  let cursor: string | null = null;
  const more = button(t("more"), () => guarded(note, load));
  const begin = () => {
    cursor = null;
    fill(rows);
    void guarded(note, load);
  };
  status.addEventListener("change", begin);
  begin();
  const filter = h("div", { class: "tools" }, h("label", { for: "status" }, t("state")), status);
  return {
    box: h("div", {}, h("h1", {}, t("dead letters")), filter, note, rows, more),
    end: () => undefined,
  };

  async function load(): Promise<void> {
    const query = new URLSearchParams({ limit: "20" });
    if (status.value) query.set("status", status.value);
    if (cursor) query.set("cursor", cursor);
    const { data, meta } = await list<Letter>(`/api/admin/dead-letters?${query.toString()}`);
    cursor = meta.nextCursor;
    rows.append(...data.map(card));
    more.hidden = cursor === null;
    say(note, rows.children.length === 0 ? t("no letters") : "");
  }

  function card({ id, error, status: stands, parkedAt, orderId }: Letter): HTMLElement {
    return h(
      "li",
      { class: "card", "data-letter": id },
      h(
        "div",
        { class: "line" },
        h("h3", {}, h("a", { href: `#/letters/${String(id)}` }, t("letter", id))),
        t(stands),
      ),
      h("div", {}, error),
      h("div", { class: "quiet" }, `${instant(parkedAt)}${orderId ? ` · ${t("order")} ${orderId}` : ""}`),
    );
  }
}

export function letterView(id: number): View {
  const body = h("div", {});
  const note = h("p", { class: "note", role: "status", tabindex: -1 });
  void guarded(note, load);
  return { box: h("div", {}, h("h1", {}, t("letter", id)), note, body), end: () => undefined };

  async function load(): Promise<void> {
    draw(await call<WholeLetter>(`/api/admin/dead-letters/${String(id)}`));
  }

  function draw(letter: WholeLetter): void {
    const fact = (name: string, value: string) => [h("dt", {}, name), h("dd", {}, value)];
    const { topic, partition, offset, value, audit } = letter;
    fill(
      body,
      h(
        "dl",
        { class: "plain" },
        ...fact(t("state"), t(letter.status)),
        ...fact(t("error"), letter.error),
        ...fact(t("order"), letter.orderId ? `${letter.orderId} ${letter.orderStatus ?? ""}` : t("none")),
        ...fact(t("place"), `${topic} ${String(partition)} / ${number(offset)}`),
        ...fact(t("parked at"), instant(letter.parkedAt)),
      ),
      h("h2", {}, t("value")),
      h("pre", { tabindex: 0, "aria-label": t("value") }, value?.content ?? t("none")),
      ...(letter.status === "parked" ? acts() : []),
      h("h2", {}, t("history")),
      audit.length === 0 && h("p", { class: "quiet" }, t("none")),
      h("ul", {}, ...audit.map((entry) => h("li", {}, historyText(entry)))),
    );
  }

  function acts(): HTMLElement[] {
    const handle = async (act: "replay" | "discard", body?: object): Promise<void> => {
      const path = `/api/admin/dead-letters/${String(id)}/${act}`;
      const handled = await call<{ status: Status }>(path, { method: "POST", ...(body && { body }) });
      say(note, t("handled", t(handled.status)));
      await load();
      // The button is gone: whoever came by keyboard goes on from what came of it.
      note.focus();
    };
    const discard = form({
      fields: [{ name: "reason", label: t("reason"), attributes: { maxlength: 500 } }],
      submit: t("discard"),
      danger: true,
      work: ({ reason = "" }) => handle("discard", { reason }),
    });
    const replay = button(t("replay"), () => guarded(note, () => handle("replay")), { class: "main" });
    return [h("div", { class: "tools" }, replay), h("div", { class: "card" }, discard)];
  }
}

function historyText({ at, admin, action, outcome, reason }: WholeLetter["audit"][number]): string {
  return `${instant(at)} · ${admin.username} · ${action} · ${outcome}${reason ? ` · ${reason}` : ""}`;
}
