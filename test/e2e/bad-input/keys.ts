import { expect } from "chai";
import { rawRequest, sendRaw, type RawAnswer } from "../../support/raw-http.ts";
import { INSIDE, type Shop } from "./shop.ts";

export function keys(shop: Shop): void {
  describe("Idempotency-Key (24)", () => {
    const body = () => JSON.stringify({ productId: shop.sale.id });
    const withKeys = (...lines: string[]): Promise<RawAnswer> =>
      sendRaw(
        shop.api.url,
        rawRequest(
          "POST",
          "/api/orders",
          [
            `Authorization: Bearer ${shop.buyer.token}`,
            "Content-Type: application/json",
            `Content-Length: ${Buffer.byteLength(body())}`,
            ...lines.map((key) => `Idempotency-Key: ${key}`),
          ],
          body(),
        ),
      );
    const good = "a-key-of-its-own-length";

    for (const [what, lines] of [
      ["of 15", ["a".repeat(15)]],
      ["of 65", ["a".repeat(65)]],
      ["that is empty", [""]],
      ["with a blank", ["a key with blanks in it"]],
      ["with an emoji", ["a-key-with-👾-in-it"]],
      ["with a NUL", ["a-key-with-\0-in-it-"]],
      ["with a CR", ["a-key-with-a\rX-More: 1"]],
      ["with a star", ["a-key-with-*-in-it-"]],
      ["with a hash tag", ["{p:1}:stock-stock-stock"]],
      ["twice", [good, good]],
      ["two of them", [good, `${good}-2`]],
    ] as const) {
      it(what, async () => {
        const answer = await withKeys(...lines);
        expect(answer.status, answer.head).to.equal(400);
        expect(answer.body).not.to.match(INSIDE);
      });
    }
  });
}
