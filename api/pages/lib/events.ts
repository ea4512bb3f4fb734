import { Problem } from "./api.ts";
import { readSession } from "./session.ts";

const RETRY_MS = 1_000;

export interface Watch<T> {
  readonly path: string;
  readonly event: (data: T) => void;
  /** Whether the stream is there. */
  readonly state?: (live: boolean) => void;
  /** Refused for good (not signed in, not there): nothing more comes. */
  readonly refused: (problem: Problem) => void;
}

/**
 * Follows server-sent events, and comes back when the stream ends. By fetch: an EventSource cannot send the token in a header,
 * and in an address it would be logged. Ends when `signal` does, or `event` aborts it.
 */
export async function follow<T>(
  { path, event, state, refused }: Watch<T>,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    try {
      const response = await fetch(path, {
        headers: { Accept: "text/event-stream", Authorization: `Bearer ${readSession()?.token ?? ""}` },
        cache: "no-store",
        signal,
      });
      if (response.status === 204) return;
      if (response.status >= 400 && response.status < 500 && response.status !== 429) {
        refused(new Problem(response.status, "stream", response.statusText));
        return;
      }
      if (response.ok && response.body) {
        state?.(true);
        for await (const data of eventsOf(response.body)) event(JSON.parse(data) as T);
      }
    } catch {
      // Cut, or aborted: the loop knows.
    }
    if (isOver(signal)) return;
    state?.(false);
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
}

/** Asked anew: what awaits may have ended it. */
const isOver = (signal: AbortSignal): boolean => signal.aborted;

async function* eventsOf(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const reader = body
    .pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>)
    .getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const blocks = (rest + value).split("\n\n");
    rest = blocks.pop() ?? "";
    for (const block of blocks) {
      const data = block
        .split("\n")
        .filter((line) => line.startsWith("data:"))
        .map((line) => line.slice(5).trimStart());
      if (data.length > 0) yield data.join("\n");
    }
  }
}
