import { randomUUID } from "node:crypto";
import { expect } from "chai";
import { problemOf } from "../../support/bodies.ts";
import { AS_JSON, type Shop } from "./shop.ts";

export function fields(shop: Shop): void {
  describe("fields (13–18, 31)", () => {
    const account = () => ({
      username: `new-${randomUUID().slice(0, 8)}`,
      email: `${randomUUID()}@example.com`,
      password: "correct horse battery",
    });
    const product = () => ({
      title: "A sale",
      price: 1_000,
      stock: 10,
      startTime: new Date().toISOString(),
    });

    it("unknown ones of a sign-up are refused", async () => {
      for (const more of [{ role: "admin" }, { isAdmin: true }, { id: 1 }, { passwordHash: "x" }])
        shop.refused(
          await shop.http.post("/api/users/signup", { ...account(), ...more }),
          400,
          "validation_failed",
        );
    });

    it("unknown ones of an order are refused", async () => {
      for (const more of [
        { price: 1 },
        { unitPrice: 1 },
        { userId: shop.other.id },
        { status: "SUCCESS" },
        { amount: 0 },
      ])
        shop.refused(await shop.order({ productId: shop.sale.id, ...more }), 400, "validation_failed");
    });

    for (const raw of [
      ...[
        "null",
        '""',
        '" "',
        '"abc"',
        '"1 OR 1=1"',
        '{"$gt":0}',
        "[1]",
        "[[1]]",
        "true",
        "false",
        "1.5",
        "-1",
        "0",
        "-0",
      ],
      ...['"0x10"', '"1"', "9007199254740993", "1e400", "1e-9"],
    ]) {
      it(`productId ${raw}`, async () => {
        shop.refused(await shop.order(`{"productId":${raw}}`, AS_JSON), 400, "validation_failed");
      });
    }

    it("a productId that is missing", async () => {
      shop.refused(await shop.order({}), 400, "validation_failed");
      shop.refused(await shop.order({ quantity: 1 }), 400, "validation_failed");
    });

    it("a product that does not exist", async () => {
      shop.refused(await shop.order({ productId: 999_999_999 }), 404, "not_found");
      shop.refused(await shop.http.get("/api/products/999999999"), 404, "not_found");
    });

    for (const raw of ["0", "-1", "1.5", '"1"', "2147483648", "1e308", "101", "null", "[1]", "true"]) {
      it(`quantity ${raw}`, async () => {
        shop.refused(
          await shop.order(`{"productId":${shop.sale.id},"quantity":${raw}}`, AS_JSON),
          400,
          "validation_failed",
        );
      });
    }

    it("a quantity above the limit of one buyer", async () => {
      const answer = await shop.order({ productId: shop.sale.id, quantity: 3 });
      shop.refused(answer, 409, "limit_exceeded");
      expect(problemOf(answer).data).to.deep.equal({ status: "FAILED", reason: "limit_exceeded" });
    });

    for (const different of [
      ...[
        { price: 9e15 },
        { price: -1 },
        { price: 0 },
        { price: 0.1 },
        { price: "1,000" },
        { price: "1000" },
        { price: 1e12 + 1 },
      ],
      ...[
        { stock: 0 },
        { stock: -1 },
        { stock: 1e7 + 1 },
        { stock: 1.5 },
        { perUserLimit: 0 },
        { perUserLimit: 101 },
      ],
      ...[
        { currency: "krw" },
        { currency: "ZZZ" },
        { currency: "" },
        { title: "" },
        { title: "  " },
        { title: "x".repeat(201) },
      ],
      ...[
        { title: "a\u0000b" },
        { title: 7 },
        { startTime: "now" },
        { startTime: 1 },
        { startTime: "2027-02-30T00:00:00Z" },
      ],
      ...[
        { startTime: "0000-00-00T00:00:00Z" },
        { startTime: "2027-01-01T00:00:00+09:00" },
        { endTime: "2001-01-01T00:00:00Z" },
      ],
      ...[{ createdBy: 1 }, { sold: 1 }, { id: 1 }],
    ]) {
      it(`a sale with ${JSON.stringify(different).slice(0, 60)}`, async () => {
        const answer = await shop.http.post(
          "/api/products",
          { ...product(), ...different },
          shop.sandbox.host.token,
        );
        shop.refused(answer, 400, "validation_failed");
      });
    }

    it("__proto__ and constructor", async () => {
      for (const text of [
        `{"productId":${shop.sale.id},"__proto__":{"role":"admin","quantity":2}}`,
        `{"productId":${shop.sale.id},"constructor":{"prototype":{"x":1}}}`,
        `{"__proto__":{"productId":${shop.sale.id}}}`,
      ])
        shop.refused(await shop.order(text, AS_JSON), 400, "validation_failed");
      const polluted = account();
      const text = JSON.stringify(polluted).replace("{", '{"__proto__":{"role":"admin"},');
      shop.refused(
        await shop.http.send("POST", "/api/users/signup", { body: text, headers: AS_JSON }),
        400,
        "validation_failed",
      );
    });

    it("several wrong ones are told at once, by pointer", async () => {
      const { errors = [] } = problemOf(await shop.order({ productId: "x", quantity: 0, more: 1 }));
      expect(errors.map(({ pointer }) => pointer)).to.have.members(["/productId", "/quantity", "/more"]);
    });

    for (const [what, password] of [
      ["of seven", "abcdefg"],
      ["that everybody has", "password123"],
      ["of 73 bytes", `${"long ".repeat(14)}end`],
      ["with a NUL", "correct\u0000horse battery"],
      ["that is a number", 12_345_678],
    ] as const) {
      it(`a password ${what} (39)`, async () => {
        const answer = await shop.http.post("/api/users/signup", { ...account(), password });
        shop.refused(answer, 400, "validation_failed");
        expect(answer.text).not.to.contain(String(password));
      });
    }

    for (const email of [
      ...[
        "a@x.com.",
        "a@b\r\nBcc: c@d.com",
        "a@b",
        "a b@c.de",
        "@c.de",
        "a@",
        "",
        `${"a".repeat(64)}@${"b.".repeat(94)}com`,
      ],
    ]) {
      it(`e-mail ${JSON.stringify(email).slice(0, 30)} (40)`, async () => {
        shop.refused(
          await shop.http.post("/api/users/signup", { ...account(), email }),
          400,
          "validation_failed",
        );
      });
    }

    for (const username of ["ab", "a".repeat(33), "a b", "mina;--", "mína", "", "a\nb"]) {
      it(`user name ${JSON.stringify(username).slice(0, 30)}`, async () => {
        shop.refused(
          await shop.http.post("/api/users/signup", { ...account(), username }),
          400,
          "validation_failed",
        );
      });
    }

    it("a log-in with both names, or none", async () => {
      const password = "correct horse battery";
      for (const body of [{ password }, { username: "a", email: "a@b.co", password }, { username: "a" }])
        shop.refused(await shop.http.post("/api/users/login", body), 400, "validation_failed");
      shop.refused(
        await shop.http.post("/api/users/login", { username: { $ne: 1 }, password }),
        400,
        "validation_failed",
      );
    });
  });
}
