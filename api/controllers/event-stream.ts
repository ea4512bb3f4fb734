import { createEventBuffer } from "better-sse";
import type { Response } from "express";
import { forgetHead } from "./lean-answer.ts";

/** How long a client waits before it asks again for a stream that ended. */
const RETRY_MS = 1_000;

export interface EventStream {
  /** One event; `id` is what a client that comes back says it has seen (Last-Event-ID). */
  send(name: string, id: string, data: object): void;
  beat(): void;
  end(): void;
}

/**
 * Answers with server-sent events (WHATWG HTML §9.2). One buffer serves all streams, and the timer of their heartbeats is
 * the caller's: thousands of streams are open at once.
 */
export function openEventStream(res: Response): EventStream {
  res.status(200);
  res.setHeader("Content-Type", "text/event-stream; charset=utf-8");
  res.setHeader("Cache-Control", "no-store");
  // nginx would collect the events of a minute.
  res.setHeader("X-Accel-Buffering", "no");
  write(buffer.retry(RETRY_MS).dispatch());
  forgetHead(res);
  return {
    send: (name, id, data) => {
      write(buffer.push(data, name, id));
    },
    beat: () => {
      write(buffer.comment("alive").dispatch());
    },
    end: () => {
      res.end();
    },
  };

  function write(filled: typeof buffer): void {
    const text = filled.read();
    filled.clear();
    if (!res.writableEnded && !res.destroyed) res.write(text);
  }
}

const buffer = createEventBuffer();
