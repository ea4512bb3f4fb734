import { noteServerTime } from "./clock.ts";
import { readSession } from "./session.ts";

const TIMEOUT_MS = 10_000;

export interface FieldError {
  readonly pointer: string;
  readonly detail: string;
}

/** What the API refused, as its problem document says; `code` "network" when there was no answer at all. */
export class Problem extends Error {
  override readonly name = "Problem";
  readonly status: number;
  readonly code: string;
  readonly errors: readonly FieldError[];
  readonly retryAfterMs: number;

  constructor(
    status: number,
    code: string,
    detail: string,
    errors: readonly FieldError[] = [],
    retryAfterS = 1,
  ) {
    super(detail);
    this.status = status;
    this.code = code;
    this.errors = errors;
    this.retryAfterMs = retryAfterS * 1_000;
  }
}

export interface Ask {
  readonly method?: "GET" | "POST" | "PATCH";
  readonly body?: object;
  readonly headers?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
  /** Instead of the session's. */
  readonly token?: string;
}

export interface Page<T> {
  readonly data: readonly T[];
  readonly meta: { readonly nextCursor: string | null };
}

/** @throws Problem */
export async function request(path: string, ask: Ask = {}): Promise<Response> {
  const token = ask.token ?? readSession()?.token;
  const sentAt = Date.now();
  let response: Response;
  try {
    response = await fetch(path, {
      method: ask.method ?? "GET",
      headers: {
        ...(ask.body && { "Content-Type": "application/json" }),
        ...(token !== undefined && { Authorization: `Bearer ${token}` }),
        ...ask.headers,
      },
      ...(ask.body && { body: JSON.stringify(ask.body) }),
      cache: "no-store",
      signal: AbortSignal.timeout(ask.timeoutMs ?? TIMEOUT_MS),
    });
  } catch {
    throw new Problem(0, "network", "network");
  }
  noteServerTime(response.headers.get("Date"), sentAt, Date.now());
  if (!response.ok) throw await problemOf(response);
  return response;
}

export interface Download {
  readonly file: Blob;
  /** Address of what describes the file (Link, rel="describedby"). */
  readonly description: string | undefined;
}

/** A whole file, or none. @throws Problem broken_off when it ends before its end */
export async function download(path: string, timeoutMs: number): Promise<Download> {
  try {
    const response = await request(path, { timeoutMs });
    const link = /<([^>]+)>;[^,]*rel="describedby"/.exec(response.headers.get("Link") ?? "");
    return { file: await response.blob(), description: link?.[1] };
  } catch (error) {
    if (error instanceof Problem && error.code !== "network") throw error;
    throw new Problem(0, "broken_off", "broken_off");
  }
}

/** The `data` of a success. @throws Problem */
export async function call<T>(path: string, ask?: Ask): Promise<T> {
  return ((await bodyOf(await request(path, ask))) as { data: T }).data;
}

/** @throws Problem */
export async function list<T>(path: string): Promise<Page<T>> {
  return (await bodyOf(await request(path))) as Page<T>;
}

async function bodyOf(response: Response): Promise<unknown> {
  if (response.status === 204) return { data: undefined };
  try {
    return await response.json();
  } catch {
    throw new Problem(0, "network", "network");
  }
}

async function problemOf(response: Response): Promise<Problem> {
  const retryAfter = Number(response.headers.get("Retry-After") ?? 1);
  try {
    const { code, detail, errors } = (await response.json()) as {
      code: string;
      detail: string;
      errors?: FieldError[];
    };
    return new Problem(response.status, code, detail, errors, retryAfter);
  } catch {
    return new Problem(response.status, "internal", response.statusText, [], retryAfter);
  }
}
