import type { Percentiles } from "../../jmeter/percentiles.ts";

/** What one load client is to do: all of it is settled before its first request. */
export interface Plan {
  /** host:port of each process; connections are spread over them evenly. */
  readonly addresses: readonly string[];
  readonly connections: number;
  readonly pace: Pace;
  readonly requests: Requests;
}

/**
 * closed: each connection asks again as soon as it was answered, for so many seconds. open: requests arrive at a constant
 * rate (per second) whatever becomes of those before; the answer's time counts from the moment a request was to be sent.
 */
export type Pace =
  | { readonly kind: "closed"; readonly seconds: number }
  | { readonly kind: "open"; readonly rate: number; readonly seconds: number };

/** Each is sent once. Paths and bodies are taken in turn. */
export interface Requests {
  readonly method: "GET" | "POST";
  readonly paths: readonly string[];
  readonly bodies?: readonly string[];
  /** One token a line; request i carries the line `first + i`, from the top again after the last. */
  readonly tokens?: { readonly file: string; readonly first: number };
  /** Each request gets an Idempotency-Key of its own that begins so. */
  readonly keyPrefix?: string;
  /** At most so many. */
  readonly count: number;
}

/** What the client has seen so far. */
export interface Progress {
  readonly offered: number;
  readonly answered: number;
  /** Answered with 202. */
  readonly accepted: number;
}

/** What came of a plan. */
export interface Tally extends Progress {
  /** "202", or a refusal's status and code: "409 sold_out"; "lost": the connection ended before the answer. */
  readonly outcomes: Readonly<Record<string, number>>;
  /** Epoch ms of the first request that was sent, and of the last answer. */
  readonly firstAt: number;
  readonly lastAt: number;
  /** Of every answer, ms. */
  readonly answerMs: Percentiles | undefined;
  /** Open model: how late the latest request went out, because no connection was free or the client was busy. */
  readonly lateMsMax: number;
}

export type FromClient =
  | { readonly kind: "connected" }
  | { readonly kind: "progress"; readonly progress: Progress }
  | { readonly kind: "done"; readonly tally: Tally }
  | { readonly kind: "failed"; readonly reason: string };

export type ToClient = { readonly kind: "plan"; readonly plan: Plan } | { readonly kind: "go" };
