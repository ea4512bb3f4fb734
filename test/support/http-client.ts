import { Agent, request, type IncomingHttpHeaders } from "node:http";
import { misfitOf } from "./document-check.ts";

const CONNECTIONS_DEFAULT = 64;
const TIMEOUT_DEFAULT_MS = 15_000;

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** Whether this request went out on a connection that had served another one before. */
  readonly reused: boolean;
  readonly ms: number;
}

export interface Ask {
  readonly token?: string | undefined;
  /** An object is sent as JSON, text and bytes as they are. */
  readonly body?: object | string | Buffer;
  readonly headers?: Readonly<Record<string, string | string[]>>;
}

/** A failure on the way: what the server did with the request is not known. */
export class NoAnswer extends Error {
  override readonly name = "NoAnswer";
  /** Whether it was asked on a kept connection. */
  readonly reused: boolean;

  constructor(cause: Error, reused: boolean) {
    super(cause.message, { cause });
    this.reused = reused;
  }
}

export type HttpClient = ReturnType<typeof createHttpClient>;

/** A client that keeps its connections, like a browser does. Its close throws when an answer departed from the OpenAPI document. */
export function createHttpClient(
  url: string,
  connections = CONNECTIONS_DEFAULT,
  timeoutMs = TIMEOUT_DEFAULT_MS,
  /** Sees each answer before it is given back. */
  onAnswer: (answer: Answer) => void = () => undefined,
) {
  const agent = new Agent({ keepAlive: true, maxSockets: connections, maxFreeSockets: connections });
  const { hostname, port } = new URL(url);
  const misfits = new Set<string>();
  return {
    send,
    get: (path: string, token?: string) => send("GET", path, { token }),
    post: (path: string, body: object, token?: string) => send("POST", path, { body, token }),
    close: () => {
      agent.destroy();
      if (misfits.size > 0) throw new Error(`Not as the OpenAPI document says: ${[...misfits].join("; ")}`);
    },
  };

  /** @throws NoAnswer */
  function send(method: string, path: string, { token, body, headers }: Ask = {}): Promise<Answer> {
    const plain = body === undefined || typeof body === "string" || Buffer.isBuffer(body);
    const payload = plain ? body : JSON.stringify(body);
    const startedAt = performance.now();
    return new Promise((resolve, reject) => {
      const asking = request({
        ...{ hostname, port, agent, method, path, timeout: timeoutMs },
        headers: {
          ...(payload !== undefined && {
            "Content-Type": "application/json",
            "Content-Length": Buffer.byteLength(payload),
          }),
          ...(token !== undefined && { Authorization: `Bearer ${token}` }),
          ...headers,
        },
      });
      const fail = (error: Error): void => {
        reject(new NoAnswer(error, asking.reusedSocket));
      };
      asking.once("error", fail);
      asking.once("timeout", () => asking.destroy(new Error("no answer in time")));
      asking.once("response", (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.once("error", fail);
        response.once("end", () => {
          const answer = {
            status: response.statusCode ?? 0,
            headers: response.headers,
            text: Buffer.concat(chunks).toString("utf8"),
            reused: asking.reusedSocket,
            ms: performance.now() - startedAt,
          };
          const misfit = misfitOf({ method, path }, answer);
          if (misfit !== undefined) misfits.add(misfit);
          onAnswer(answer);
          resolve(answer);
        });
      });
      asking.end(payload);
    });
  }
}

/** Works on all items, so many at once; results in the order of the items. */
export async function inParallel<Item, Result>(
  items: readonly Item[],
  atOnce: number,
  work: (item: Item, index: number) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  let next = 0;
  const lane = async (): Promise<void> => {
    for (;;) {
      const index = next;
      next += 1;
      const item = items[index];
      if (index >= items.length || item === undefined) return;
      results[index] = await work(item, index);
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, lane));
  return results;
}
