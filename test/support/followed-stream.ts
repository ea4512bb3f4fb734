import { Agent, request, type IncomingMessage } from "node:http";
import { eventMisfitOf } from "./document-check.ts";

/** Thousands of streams are open at once, each on a connection of its own. */
const agent = new Agent({ keepAlive: false, maxSockets: Infinity });

export interface FollowedStream {
  /** The ids of its events. */
  readonly heard: readonly string[];
  /** How its events depart from the OpenAPI document. */
  readonly misfits: readonly string[];
  /** Undefined until the answer's head is there. */
  status(): number | undefined;
  /** The latest event's data, and when it came, epoch ms. */
  last(): { readonly data: string; readonly at: number };
  beats(): number;
  ended(): boolean;
  leave(): void;
}

export interface FollowWish {
  readonly path: string;
  readonly token: string;
  readonly lastEventId?: string;
}

/** Follows server-sent events as an EventSource does, but once. */
export function followStream(
  { url }: { readonly url: string },
  { path, token, lastEventId }: FollowWish,
): FollowedStream {
  const heard: string[] = [];
  const misfits: string[] = [];
  const state: { ended: boolean; beats: number; status?: number | undefined } = { ended: false, beats: 0 };
  let last = { data: "", at: 0 };
  let text = "";
  const asking = request(`${url}${path}`, {
    agent,
    headers: { Authorization: `Bearer ${token}`, ...(lastEventId && { "Last-Event-ID": lastEventId }) },
  });
  asking.on("response", (response: IncomingMessage) => {
    state.status = response.statusCode;
    response.setEncoding("utf8").on("data", (chunk: string) => {
      const blocks = (text + chunk).split("\n\n");
      text = blocks.pop() ?? "";
      blocks.forEach(take);
    });
    response.on("close", () => (state.ended = true));
  });
  asking.on("error", () => (state.ended = true));
  asking.end();
  return {
    ...{ heard, misfits },
    status: () => state.status,
    last: () => last,
    beats: () => state.beats,
    ended: () => state.ended,
    leave: () => void asking.destroy(),
  };

  function take(block: string): void {
    if (block.startsWith(":")) state.beats += 1;
    const id = /^id: ?(\w+)$/m.exec(block)?.[1];
    if (id === undefined) return;
    heard.push(id);
    last = { data: /^data: ?(.*)$/m.exec(block)?.[1] ?? "", at: Date.now() };
    const misfit = eventMisfitOf(path, last.data);
    if (misfit !== undefined) misfits.push(misfit);
  }
}

export const followOrder = (
  program: { readonly url: string },
  orderId: string,
  { token }: { readonly token: string },
  lastEventId?: string,
): FollowedStream =>
  followStream(program, {
    ...{ path: `/api/orders/${orderId}/events`, token },
    ...(lastEventId !== undefined && { lastEventId }),
  });
