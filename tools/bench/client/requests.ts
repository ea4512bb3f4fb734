import { readFileSync } from "node:fs";
import type { Requests } from "./plan.ts";

const KEY_DIGITS = 12;

/** Writes the text of request i. What all have in common is put together once. */
export function requestWriter({ method, paths, bodies, tokens, keyPrefix }: Requests, host: string) {
  const lines = tokens && readTokens(tokens.file);
  const first = tokens?.first ?? 0;
  const heads = paths.map((path) => `${method} ${path} HTTP/1.1\r\nHost: ${host}\r\n`);
  const tails = bodies === undefined ? ["\r\n"] : bodies.map(withBody);
  return (i: number): string => {
    const token = lines && `Authorization: Bearer ${lines.at(first + i)}\r\n`;
    const key = keyPrefix && `Idempotency-Key: ${keyPrefix}${String(i).padStart(KEY_DIGITS, "0")}\r\n`;
    return `${heads[i % heads.length] ?? ""}${token ?? ""}${key ?? ""}${tails[i % tails.length] ?? ""}`;
  };
}

function withBody(body: string): string {
  const length = Buffer.byteLength(body);
  return `Content-Type: application/json\r\nContent-Length: ${length}\r\n\r\n${latin1Of(body)}`;
}

/** Kept as one block of bytes: hundreds of thousands of strings would cost the garbage collector more than this slice. */
function readTokens(file: string) {
  const bytes = readFileSync(file);
  const starts = [0];
  for (let at = bytes.indexOf("\n"); at >= 0; at = bytes.indexOf("\n", at + 1)) starts.push(at + 1);
  const count = starts.length - 1;
  return {
    at(index: number): string {
      const line = index % count;
      return bytes.toString("latin1", starts[line], (starts[line + 1] ?? 0) - 1);
    },
  };
}

/** Sockets are written as latin1: each byte one character. */
function latin1Of(text: string): string {
  return Buffer.from(text).toString("latin1");
}
