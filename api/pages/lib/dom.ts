type Child = Node | string | number | null | undefined | false;
type Attributes = Readonly<Record<string, string | number | boolean | undefined>>;

/** An element with its attributes and children; text is always text, whatever it contains. */
export function h<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Attributes = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) element.setAttribute(name, "");
    else if (value !== undefined && value !== false) element.setAttribute(name, String(value));
  }
  element.append(...childrenOf(children));
  return element;
}

const childrenOf = (children: readonly Child[]): (Node | string)[] =>
  children.flatMap((child) =>
    child === null || child === undefined || child === false
      ? []
      : [typeof child === "number" ? String(child) : child],
  );

export function fill(element: Element, ...children: readonly Child[]): void {
  element.replaceChildren(...childrenOf(children));
}

/** Writes only what differs: a screen reader and a selection are left alone. */
export function say(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

/** A button that is busy while its work lasts, so that a second click does nothing. */
export function button(label: string, work: () => Promise<void> | void, attributes: Attributes = {}) {
  const element = h("button", { type: "button", ...attributes }, label);
  element.addEventListener("click", () => {
    void busyWhile(element, work);
  });
  return element;
}

export async function busyWhile(element: HTMLButtonElement, work: () => Promise<void> | void): Promise<void> {
  if (element.getAttribute("aria-disabled") === "true") return;
  // Not `disabled`: that would take the focus away from who came by keyboard.
  element.setAttribute("aria-disabled", "true");
  try {
    await work();
  } finally {
    element.removeAttribute("aria-disabled");
  }
}
