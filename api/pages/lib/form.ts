import { Problem } from "./api.ts";
import { busyWhile, h, say } from "./dom.ts";
import { codeText, t } from "./texts.ts";

export interface Field {
  /** As the API names it in its errors: /title. */
  readonly name: string;
  readonly label: string;
  readonly hint?: string;
  readonly attributes?: Readonly<Record<string, string | number | boolean>>;
}

export interface FormOptions {
  readonly fields: readonly Field[];
  readonly submit: string;
  /** What is thrown as a Problem is shown: beside its fields, or above the button. */
  readonly work: (values: Readonly<Record<string, string>>) => Promise<void>;
  readonly danger?: boolean;
}

let forms = 0;

/** A form whose errors are those of the API, each beside its field. */
export function form({ fields, submit, work, danger }: FormOptions): HTMLFormElement {
  const prefix = `form${String((forms += 1))}`;
  const inputs = new Map<string, { input: HTMLInputElement; fault: HTMLElement }>();
  const general = h("p", { class: "fault", role: "alert" });
  const button = h("button", { type: "submit", class: danger ? "danger" : "main" }, submit);
  const element = h("form", { novalidate: true });
  for (const { name, label, hint, attributes } of fields) {
    const id = `${prefix}-${name}`;
    const input = h("input", { id, name, "aria-describedby": `${id}-hint ${id}-fault`, ...attributes });
    const fault = h("p", { class: "fault", id: `${id}-fault` });
    inputs.set(name, { input, fault });
    const note = h("span", { class: "hint", id: `${id}-hint` }, hint ? ` (${hint})` : "");
    element.append(h("div", {}, h("label", { for: id }, label, note), input, fault));
  }
  element.append(general, h("div", { class: "row" }, button));
  element.addEventListener("submit", (event) => {
    event.preventDefault();
    void busyWhile(button, run);
  });
  return element;

  async function run(): Promise<void> {
    say(general, "");
    for (const { input, fault } of inputs.values()) {
      say(fault, "");
      input.removeAttribute("aria-invalid");
    }
    try {
      await work(Object.fromEntries([...inputs].map(([name, { input }]) => [name, input.value])));
      // Done: what is sent once more by accident is nothing, and not the same again.
      element.reset();
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      show(error);
    }
  }

  function show(problem: Problem): void {
    const unplaced: string[] = [];
    let first: HTMLInputElement | undefined;
    for (const { pointer, detail } of problem.errors) {
      const field = inputs.get(pointer.slice(1));
      if (!field) {
        unplaced.push(detail);
        continue;
      }
      // The API says it in English: whoever reads another language hears first what to do.
      say(field.fault, t("field fault", detail));
      field.input.setAttribute("aria-invalid", "true");
      first ??= field.input;
    }
    say(general, [codeText(problem.code, problem.message), ...unplaced].join(" "));
    first?.focus();
  }
}

export const credentials: readonly Field[] = [
  {
    name: "username",
    label: t("username"),
    attributes: { autocomplete: "username", autocapitalize: "none" },
  },
  {
    name: "password",
    label: t("password"),
    attributes: { type: "password", autocomplete: "current-password" },
  },
];

/** A whole number, or what was typed: then the API says what is wrong with it. */
export function whole(text: string): number | string | undefined {
  const trimmed = text.trim();
  if (trimmed === "") return undefined;
  return /^-?\d{1,15}$/.test(trimmed) ? Number(trimmed) : trimmed;
}

/** A time as an input of type datetime-local gives it: of this place, to the second. */
export function localToIso(text: string): string | undefined {
  const at = new Date(text);
  return text === "" || Number.isNaN(at.getTime()) ? undefined : at.toISOString();
}
