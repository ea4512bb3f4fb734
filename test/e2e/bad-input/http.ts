import { expect } from "chai";
import { sendRaw } from "../../support/raw-http.ts";
import { INSIDE, type Shop } from "./shop.ts";

export function http(shop: Shop): void {
  describe("HTTP that is none (43)", () => {
    const line = "POST /api/orders HTTP/1.1\r\nHost: localhost\r\n";
    const body = '{"productId":1}';

    for (const [what, bytes, status] of [
      [
        "a length and chunks",
        `${line}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
        [400],
      ],
      ["two lengths", `${line}Content-Length: 5\r\nContent-Length: 15\r\n\r\n${body}`, [400]],
      ["a length that is none", `${line}Content-Length: x\r\n\r\n${body}`, [400]],
      ["a transfer that is none", `${line}Transfer-Encoding: xchunked\r\n\r\n${body}`, [400]],
      ["a chunk that is none", `${line}Transfer-Encoding: chunked\r\n\r\nZZ\r\n`, [400]],
      ["a blank before the colon", `${line}Content-Length : 5\r\n\r\n${body}`, [400]],
      ["a folded header", `${line}X-A: 1\r\n b\r\n\r\n`, [400]],
      ["a NUL in a header", `${line}X-A: \0\r\n\r\n`, [400]],
      ["another protocol", "SSH-2.0-OpenSSH_9.2\r\n", [400]],
      ["a version that is none", "GET / HTTP/9.9\r\n\r\n", [400]],
      ["lines that end in LF alone", "GET /api/products HTTP/1.1\nHost: localhost\n\n", [400]],
      ["no host", "GET /api/products HTTP/1.1\r\n\r\n", [400]],
      ["20 kB of headers", `${line}X-A: ${"x".repeat(20_000)}\r\n\r\n`, [431]],
      ["a target of 20 kB", `GET /${"x".repeat(20_000)} HTTP/1.1\r\nHost: localhost\r\n\r\n`, [431, 414]],
    ] as const) {
      it(what, async () => {
        const answer = await sendRaw(shop.api.url, bytes);
        expect(answer.status, answer.head).to.be.oneOf([...status]);
        expect(answer.closed, "connection closed").to.equal(true);
        expect(`${answer.head}${answer.body}`).not.to.match(INSIDE);
      });
    }

    it("leaves others alone", async () => {
      expect((await shop.http.get("/healthz")).status).to.equal(200);
    });
  });
}
