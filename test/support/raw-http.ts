import { connect } from "node:net";

const TIMEOUT_MS = 5_000;

export interface RawAnswer {
  /** 0: the connection was closed without a word. */
  readonly status: number;
  readonly head: string;
  readonly body: string;
  /** Whether the server closed the connection by itself. */
  readonly closed: boolean;
}

/** Sends bytes as they are, which no proper client would, and reads until the server closes, or for TIMEOUT_MS. */
export function sendRaw(url: string, bytes: string | Buffer, timeoutMs = TIMEOUT_MS): Promise<RawAnswer> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    const socket = connect(Number(port), hostname);
    const finish = (closed: boolean): void => {
      clearTimeout(timer);
      socket.destroy();
      const text = Buffer.concat(chunks).toString("utf8");
      const [head = "", ...body] = text.split("\r\n\r\n");
      const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(head)?.[1] ?? 0);
      resolve({ status, head, body: body.join("\r\n\r\n"), closed });
    };
    const timer = setTimeout(() => {
      finish(false);
    }, timeoutMs);
    socket.on("data", (chunk: Buffer) => chunks.push(chunk));
    socket.once("close", () => {
      finish(true);
    });
    socket.on("error", () => undefined); // "close" follows
    socket.write(bytes);
  });
}

/** A request whose header lines are given as they are; asks for the connection to be closed unless told otherwise. */
export function rawRequest(method: string, path: string, headers: readonly string[], body = ""): Buffer {
  const lines = [`${method} ${path} HTTP/1.1`, "Host: localhost", "Connection: close", ...headers];
  return Buffer.from(`${lines.join("\r\n")}\r\n\r\n${body}`, "utf8");
}
