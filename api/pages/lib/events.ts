import { Problem } from "./api.ts";
import { readSession } from "./session.ts";

const RETRY_MS = 1_000;

export interface Watch<T> {
  readonly path: string;
  /**
   * What is sent at least this often, heartbeats included, by a stream that is alive. A connection that dies without a word (a
   * lost network, a frozen server) looks like one that has nothing to say; after this long it is given up, and made anew.
   */
  readonly silenceMaxMs: number;
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
export async function follow<T>(watch: Watch<T>, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const end = await followOnce(watch, signal);
    if (isOver(signal)) return;
    watch.state?.(false);
    if (end instanceof Problem) watch.refused(end);
    if (end !== "cut") return;
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
}

/** One connection, to its end: one that was cut is made anew, the others say that there is nothing more to come. */
async function followOnce<T>(
  { path, silenceMaxMs, event, state }: Watch<T>,
  signal: AbortSignal,
): Promise<"cut" | "over" | Problem> {
  const connection = new AbortController();
  const cut = (): void => {
    connection.abort();
  };
  let silence = setTimeout(cut, silenceMaxMs);
  const heard = (): void => {
    clearTimeout(silence);
    silence = setTimeout(cut, silenceMaxMs);
  };
  signal.addEventListener("abort", cut);
  try {
    const response = await fetch(path, {
      headers: { Accept: "text/event-stream", Authorization: `Bearer ${readSession()?.token ?? ""}` },
      cache: "no-store",
      signal: connection.signal,
    });
    if (response.status === 204) return "over";
    if (response.status >= 400 && response.status < 500 && response.status !== 429)
      return new Problem(response.status, "stream", response.statusText);
    if (response.ok && response.body) {
      heard();
      state?.(true);
      for await (const data of eventsOf(response.body, heard)) event(JSON.parse(data) as T);
    }
  } catch {
    // Cut, silent, or aborted: the loop knows.
  } finally {
    clearTimeout(silence);
    signal.removeEventListener("abort", cut);
    cut();
  }
  return "cut";
}

/** Asked anew: what awaits may have ended it. */
const isOver = (signal: AbortSignal): boolean => signal.aborted;

async function* eventsOf(body: ReadableStream<Uint8Array>, heard: () => void): AsyncGenerator<string> {
  const reader = body
    .pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>)
    .getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    heard();
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
