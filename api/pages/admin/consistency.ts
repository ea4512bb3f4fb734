import { call, Problem } from "../lib/api.ts";
import { button, h, say } from "../lib/dom.ts";
import { codeText, instant, t } from "../lib/texts.ts";

const EVERY_MS = 60_000;
/** A check that scans millions of rows is asked for less often: it may take this part of the time. */
const SHARE = 20;
/** Another check was running: the API runs one at a time. */
const AGAIN_AFTER_MS = 2_000;
const TIMEOUT_MS = 120_000;

interface Report {
  readonly consistent: boolean;
  readonly checkedAt: string;
  readonly checks: readonly { readonly invariant: string; readonly rule: string; readonly state: string }[];
}

/** The light: green while every invariant holds. It checks by itself, and when it is asked to. */
export function consistencyLight(productId?: number) {
  const light = h("span", { class: "light", "data-light": "unknown" }, t("unknown"));
  const when = h("span", { class: "quiet" });
  const details = h("ul", {});
  const box = h(
    "section",
    { class: "card", "aria-label": t("consistency") },
    h("div", { class: "line" }, h("strong", {}, t("consistency")), h("span", { role: "status" }, light)),
    h("div", { class: "line" }, when, button(t("check now"), check)),
    details,
  );
  let timer: number | undefined;
  let ended = false;
  void check();
  return {
    box,
    end: () => {
      ended = true;
      clearTimeout(timer);
    },
  };

  async function check(): Promise<void> {
    clearTimeout(timer);
    show("unknown", "warn", t("checking"));
    const startedAt = performance.now();
    let delayMs = AGAIN_AFTER_MS;
    try {
      const query = productId === undefined ? "" : `?productId=${String(productId)}`;
      const report = await call<Report>(`/api/admin/consistency${query}`, { timeoutMs: TIMEOUT_MS });
      const broken = report.checks.filter(({ state }) => state === "broken");
      const names = [...new Set(broken.map(({ invariant }) => invariant))].join(", ");
      if (report.consistent) show("consistent", "good", t("consistent"));
      else show("broken", "bad", t("inconsistent", names));
      details.replaceChildren(...broken.map(({ invariant, rule }) => h("li", {}, `${invariant}: ${rule}`)));
      say(when, t("checked at", instant(report.checkedAt)));
      delayMs = Math.max(EVERY_MS, SHARE * (performance.now() - startedAt));
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      show("unknown", "warn", t("unknown"));
      say(when, codeText(error.code, error.message));
    }
    if (!ended) timer = window.setTimeout(() => void check(), delayMs);
  }

  function show(state: string, tone: string, text: string): void {
    light.className = `light ${tone}`;
    light.dataset["light"] = state;
    say(light, text);
  }
}
