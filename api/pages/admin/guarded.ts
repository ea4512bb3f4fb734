import { Problem } from "../lib/api.ts";
import { say } from "../lib/dom.ts";
import { codeText } from "../lib/texts.ts";

/** Shows what the API refuses; nothing else is expected to be thrown. */
export async function guarded(note: HTMLElement, work: () => Promise<void>): Promise<void> {
  note.classList.remove("bad");
  try {
    await work();
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    note.classList.add("bad");
    say(note, codeText(error.code, error.message));
  }
}
