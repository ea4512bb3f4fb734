import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { gzipSync } from "node:zlib";
import { expect } from "chai";
import type { Program } from "../../../tools/stack/programs.ts";
import { settlesWithin } from "../../../tools/stack/wait.ts";
import { codeOf } from "../../support/bodies.ts";
import type { Ask } from "../../support/http-client.ts";
import { AS_JSON, type Shop } from "./shop.ts";

/** Above DISCARD_MS_MAX of the API; far below its time-out of a request, 15 s. */
const FLOOD_DEADLINE_MS = 6_000;
const MEMORY_GROWTH_MAX_BYTES = 50 * 1024 * 1024;
const BODY_BYTES_MAX = 10 * 1024;
const MEGABYTE = 1024 * 1024;

export function bodies(shop: Shop): void {
  describe("bodies (29, 30, 32, 33)", () => {
    const send = (body: Ask["body"], headers: Ask["headers"] = AS_JSON) => shop.order(body, headers);
    const padded = (bytes: number): string => {
      const text = JSON.stringify({ productId: 0, note: "" });
      return text.replace('"note":"', `"note":"${"x".repeat(bytes - text.length)}`);
    };

    it("of 10 kB are read, one byte more is 413", async () => {
      shop.refused(await send(padded(BODY_BYTES_MAX)), 400, "validation_failed");
      shop.refused(await send(padded(BODY_BYTES_MAX + 1)), 413, "payload_too_large");
      shop.refused(await send(padded(MEGABYTE)), 413, "payload_too_large");
    });

    it("that never end, or unfold, cost no memory", async () => {
      const before = residentBytes(shop.api);
      const bomb = gzipSync(Buffer.alloc(100 * MEGABYTE, " "));
      shop.refused(await send(bomb, { ...AS_JSON, "Content-Encoding": "gzip" }), 413, "payload_too_large");
      // Whoever only sends may find the connection cut before having read the answer.
      const flooded = flood(shop.api.url, shop.buyer.token, Infinity);
      expect(await settlesWithin(flooded, FLOOD_DEADLINE_MS), "the connection is cut").to.equal(true);
      expect(await flooded).to.match(/^(HTTP\/1\.1 413|$)/);
      expect(residentBytes(shop.api) - before).to.be.lessThan(MEMORY_GROWTH_MAX_BYTES);
    });

    it("in an encoding that is none", async () => {
      shop.refused(
        await send("{}", { ...AS_JSON, "Content-Encoding": "zip" }),
        415,
        "unsupported_media_type",
      );
      const answer = await send("{}", { ...AS_JSON, "Content-Encoding": "gzip" });
      expect(answer.status).to.be.oneOf([400, 415]);
      shop.refused(answer, answer.status, codeOf(answer));
    });

    it("deep as a well", async () => {
      const deep = (levels: number): string => "[".repeat(levels) + "]".repeat(levels);
      shop.refused(await send(deep(5_000)), 400, "validation_failed");
      shop.refused(await send(`{"productId":${deep(5_000)}}`), 400, "validation_failed");
      shop.refused(await send('{"a":'.repeat(2_000)), 400, "invalid_json");
      shop.refused(await send(deep(50_000)), 413, "payload_too_large");
    });

    for (const [what, body, code] of [
      ["half a JSON", '{"productId":', "invalid_json"],
      ["single quotes", "{'productId':1}", "invalid_json"],
      ["null", "null", undefined],
      ["a number", "5", undefined],
      ["a text", '"x"', undefined],
      ["a list", "[]", "validation_failed"],
      ["nothing", "", undefined],
      ["a BOM", '\ufeff{"productId":1}', "invalid_json"],
      ["bytes that are no UTF-8", Buffer.from('{"productId":"\xff\xfe"}', "latin1"), "invalid_json"],
      ["NaN", '{"productId":NaN}', "invalid_json"],
      ["UTF-16", Buffer.from('{"productId":1}', "utf16le"), "invalid_json"],
    ] as const) {
      it(`of ${what}`, async () => {
        const answer = await send(body);
        expect(codeOf(answer)).to.be.oneOf(code ? [code] : ["invalid_json", "validation_failed"]);
        shop.refused(answer, 400, codeOf(answer));
      });
    }

    for (const type of [
      ...[
        "text/plain",
        "application/xml",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
      ],
      ...[
        "application/json; charset=utf-7",
        "application/json; charset=utf-16",
        "application/jsonp",
        "*/*",
        "json",
        "",
      ],
    ]) {
      it(`as ${type || "no type at all"}`, async () => {
        const headers = { "Content-Type": type };
        shop.refused(await send('{"productId":1}', headers), 415, "unsupported_media_type");
      });
    }
  });
}

function residentBytes({ pid }: Program): number {
  const status = readFileSync(`/proc/${String(pid)}/status`, "utf8");
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) * 1024;
}

/** Sends a chunked body without an end until the server has had enough; gives back how its answer began. */
function flood(url: string, token: string, bytes: number): Promise<string> {
  const { hostname, port } = new URL(url);
  const block = Buffer.alloc(65_536, "x");
  const chunk = Buffer.concat([Buffer.from(`${block.length.toString(16)}\r\n`), block, Buffer.from("\r\n")]);
  return new Promise((resolve) => {
    const socket = connect(Number(port), hostname);
    let sent = 0;
    let answer = "";
    const more = (): void => {
      while (sent < bytes) {
        sent += block.length;
        if (!socket.write(chunk)) return;
      }
      socket.end("0\r\n\r\n");
    };
    socket.on("drain", more);
    socket.on("data", (data: Buffer) => {
      answer += data.toString();
      socket.destroy();
    });
    socket.on("error", () => undefined);
    socket.once("close", () => {
      resolve(answer.slice(0, 100));
    });
    socket.write(
      `POST /api/orders HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n`,
    );
    more();
  });
}
