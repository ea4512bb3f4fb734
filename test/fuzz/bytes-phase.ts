import { connect } from "node:net";
import fc from "fast-check";
import { inParallel } from "../support/http-client.ts";
import type { FuzzSite, FuzzWish } from "./site.ts";

const AT_ONCE = 16;
const CLOSED_DEADLINE_MS = 5_000;
const BYTES_MAX = 2_000;
/** What begins like a request gets further than noise does. */
const BEGINNINGS = [
  "",
  "GET /api/products HTTP/1.1\r\nHost: x\r\n",
  "POST /api/orders HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 20\r\n\r\n",
  "POST /api/orders HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n",
  "OPTIONS * HTTP/1.1\r\n",
];

/** Random bytes on fresh connections: each is answered with a refusal or closed, and the next one is served. */
export async function fuzzBytes({ api, problems, answers }: FuzzSite, wish: FuzzWish): Promise<void> {
  const bytes = fc
    .tuple(fc.constantFrom(...BEGINNINGS), fc.uint8Array({ maxLength: BYTES_MAX }))
    .map(([beginning, drawn]) => Buffer.concat([Buffer.from(beginning), drawn]));
  const all = fc.sample(bytes, { seed: wish.seed, numRuns: wish.connections });
  await inParallel(all, AT_ONCE, async (sent) => {
    const heard = await tell(api.url, sent);
    const [, status = "closed"] = /^HTTP\/1\.1 (\d{3})/.exec(heard ?? "") ?? [];
    answers.set(`bytes: ${status}`, (answers.get(`bytes: ${status}`) ?? 0) + 1);
    if (heard === undefined) problems.push(`a connection stays open after ${sent.toString("hex")}`);
    if (status.startsWith("5")) problems.push(`${status} to the bytes ${sent.toString("hex")}`);
  });
  wish.report(`${wish.connections} connections, ${problems.length} problems`);
}

/** Sends, ends its side, and gives back what came until the server closed; undefined when it did not. */
function tell(url: string, bytes: Buffer): Promise<string | undefined> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve) => {
    let heard = "";
    const socket = connect(Number(port), hostname);
    socket.setTimeout(CLOSED_DEADLINE_MS, () => {
      resolve(undefined);
      socket.destroy();
    });
    socket.on("data", (data: Buffer) => {
      heard += data.toString("latin1");
    });
    socket.on("error", () => undefined); // "close" follows
    socket.once("close", () => {
      resolve(heard);
    });
    socket.end(bytes);
  });
}
