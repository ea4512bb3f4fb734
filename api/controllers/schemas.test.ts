import { expect } from "chai";
import fc from "fast-check";
import type Joi from "joi";
import { DomainError } from "../../shared/domain/errors.ts";
import { newOrderIds } from "../../shared/testing/samples.ts";
import { parse } from "./parse.ts";
import {
  encodeCursor,
  idempotencyKey,
  idPageQuery,
  loginBody,
  noQuery,
  orderBody,
  orderPath,
  ordersQuery,
  plainOrderBody,
  productBody,
  productPath,
  signupBody,
} from "./schemas.ts";

type Part = Parameters<typeof parse>[2];

function refusalOf<T>(
  schema: Joi.ObjectSchema<T>,
  input: unknown,
  part: Part = "body",
): DomainError | undefined {
  try {
    parse(schema, input, part);
    return undefined;
  } catch (error) {
    if (error instanceof DomainError) return error;
    throw error;
  }
}
const pointersOf = (error: DomainError | undefined) => error?.details.errors?.map(({ pointer }) => pointer);

/** As it would come over the wire: JSON.parse knows 1e400, -0 and __proto__. */
const json = (text: string): unknown => JSON.parse(text);

const shortly = (input: unknown) => ((JSON.stringify(input) as string | undefined) ?? "nothing").slice(0, 60);

function refuses<T>(
  what: string,
  schema: Joi.ObjectSchema<T>,
  inputs: readonly unknown[],
  part?: Part,
): void {
  for (const input of inputs) {
    it(`is refused: ${what} ${shortly(input)}`, () => {
      expect(refusalOf(schema, input, part)?.code).to.equal("validation_failed");
    });
  }
}

describe("an order's body", () => {
  it("takes a product and defaults to one unit", () => {
    expect(parse(orderBody, { productId: 7 })).to.deep.equal({ productId: 7, quantity: 1 });
  });

  const productIds =
    'null,"",""," ","abc","1","1 OR 1=1",{"$gt":0},[1],[[1]],true,1.5,-1,0,-0,"0x10",9007199254740993,1e400';
  refuses("productId", orderBody, [
    {},
    ...(json(`[${productIds}]`) as unknown[]).map((productId) => ({ productId })),
  ]);
  const quantities = '0,-1,1.5,"1",2147483648,1e308,101,null,true,[1],{}';
  refuses(
    "quantity",
    orderBody,
    (json(`[${quantities}]`) as unknown[]).map((quantity) => ({ productId: 1, quantity })),
  );
  it("is taken as the schema takes it, also where the schema is not asked", () => {
    const count = fc.oneof(
      fc.integer({ min: -1, max: 120 }),
      fc.maxSafeInteger(),
      fc.double(),
      fc.jsonValue(),
    );
    const body = fc.oneof(
      fc.record({ productId: count, quantity: count }, { requiredKeys: [] }),
      fc.dictionary(fc.constantFrom("productId", "quantity", "__proto__", "price"), count),
      fc.jsonValue(),
    );
    fc.assert(
      fc.property(body, (value) => {
        const plain = plainOrderBody(value);
        if (plain) expect(parse(orderBody, value)).to.deep.equal(plain);
      }),
      { numRuns: 3_000 },
    );
    expect(plainOrderBody({ productId: 7 })).to.deep.equal({ productId: 7, quantity: 1 });
    expect(plainOrderBody({ productId: 7, quantity: 2, price: 1 })).to.equal(undefined);
  });

  refuses("a field that is the server's to say", orderBody, [
    { productId: 1, price: 1 },
    { productId: 1, userId: 2 },
    { productId: 1, status: "SUCCESS" },
    { productId: 1, unitPrice: 1, currency: "KRW" },
    json('{"productId":1,"__proto__":{"role":"admin"}}'),
    json('{"productId":1,"constructor":{"prototype":{"x":1}}}'),
  ]);
  refuses("no object but", orderBody, [undefined, null, 5, "text", [], [{ productId: 1 }], true]);

  it("takes nothing but a positive safe integer for a product, whatever JSON can say", () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.jsonValue(), fc.double(), fc.integer(), fc.bigInt().map(Number)),
        (productId) => {
          const refused = refusalOf(orderBody, { productId });
          const valid = typeof productId === "number" && Number.isSafeInteger(productId) && productId >= 1;
          expect(refused === undefined).to.equal(valid);
        },
      ),
      { numRuns: 1_000 },
    );
  });
});

describe("a sign-up's body", () => {
  const valid = { username: "mina.kim", email: "Mina@Example.com", password: "correct horse battery" };
  const withField = (name: string, value: unknown) => ({ ...valid, [name]: value });

  it("keeps the name, stores the address in lower case", () => {
    expect(parse(signupBody, valid)).to.deep.equal({ ...valid, email: "mina@example.com" });
  });

  refuses("a field that makes more of a user", signupBody, [
    withField("role", "admin"),
    withField("isAdmin", true),
    withField("id", 1),
  ]);
  refuses("a user name like", signupBody, [
    ..."ab,has space,naïve,a/b,a'b,<b>".split(",").map((name) => withField("username", name)),
    withField("username", "x".repeat(33)),
    withField("username", "name\n"),
    withField("username", 12345),
  ]);
  refuses("an address like", signupBody, [
    ...["a@x.com.", "a@b\r\nBcc:", "a@b", "@x.com", "a b@x.com", "a@x..com", "a@x.com\n"].map((email) =>
      withField("email", email),
    ),
    withField("email", `${"a".repeat(249)}@x.com`),
    withField("email", ["a@x.com"]),
  ]);
  refuses("a password like", signupBody, [
    withField("password", "seven77"),
    withField("password", "x1y2z3w4".repeat(9) + "!"),
    withField("password", "nul\0byte in it"),
    withField("password", "password1"),
    withField("password", "PASSWORD1"),
    withField("password", "12345678"),
    withField("password", "FlashPay2026!"),
    withField("password", "flash-sale-1"),
    withField("password", "Admin.Payment.99"),
    withField("password", "한".repeat(25)),
  ]);

  const kept = ["  spaces around  ", "😀".repeat(18), "x1y2z3w4".repeat(9), "pässwörter"];
  for (const password of kept) {
    it(`keeps the password ${JSON.stringify(password).slice(0, 30)} exactly`, () => {
      expect(parse(signupBody, withField("password", password)).password).to.equal(password);
    });
  }
});

describe("a log-in's body", () => {
  it("takes a name or an address", () => {
    expect(refusalOf(loginBody, { username: "a", password: "b" })).to.equal(undefined);
    expect(parse(loginBody, { email: "A@X.com", password: "b" }).email).to.equal("a@x.com");
  });

  refuses("", loginBody, [
    { password: "b" },
    { username: "a", email: "a@x.com", password: "b" },
    { username: "a" },
    { username: { $ne: null }, password: { $ne: null } },
    { username: "a", password: "b".repeat(1_025) },
  ]);
});

describe("a product's body", () => {
  const valid = { title: "Concert", price: 99_000, stock: 10, startTime: "2027-01-01T09:00:00.000Z" };
  const withField = (name: string, value: unknown) => ({ ...valid, [name]: value });

  it("has defaults for currency and limit", () => {
    expect(parse(productBody, valid)).to.include({
      startTime: Date.UTC(2027, 0, 1, 9),
      currency: "KRW",
      perUserLimit: 1,
    });
  });

  it("takes each limit itself", () => {
    const highest = { ...valid, price: 10 ** 12, stock: 10_000_000, perUserLimit: 100 };
    expect(refusalOf(productBody, highest)).to.equal(undefined);
    expect(refusalOf(productBody, { ...valid, price: 1, stock: 1 })).to.equal(undefined);
  });

  refuses(
    "a price",
    productBody,
    [9e15, 10 ** 12 + 1, -1, 0, 0.1, "1,000", "1000", null].map((v) => withField("price", v)),
  );
  refuses(
    "a stock",
    productBody,
    [0, -1, 1.5, 10_000_001, "10"].map((v) => withField("stock", v)),
  );
  refuses(
    "a limit",
    productBody,
    [0, 101, -1, 1.5].map((v) => withField("perUserLimit", v)),
  );
  refuses(
    "an instant",
    productBody,
    [
      "2027-01-01",
      "2027-01-01T09:00:00",
      "2027-01-01T09:00:00+09:00",
      "2027-02-30T09:00:00.000Z",
      "2027-01-01T25:00:00.000Z",
      "1999-12-31T23:59:59.999Z",
      "tomorrow",
      1_798_794_000_000,
    ].map((v) => withField("startTime", v)),
  );
  refuses(
    "a currency",
    productBody,
    ["krw", "KR", "XXXX", "ABC", 1].map((v) => withField("currency", v)),
  );
  refuses(
    "a title",
    productBody,
    ["", "   ", "x".repeat(201), "line\nbreak", "nul\0", 5].map((v) => withField("title", v)),
  );
  refuses("a field of the server's", productBody, [withField("sold", 5), withField("id", 1)]);
});

describe("an Idempotency-Key", () => {
  it("has 16 to 64 letters, digits, underscores or dashes", () => {
    for (const key of ["a".repeat(16), "A-z_0".repeat(12) + "abcd"])
      expect(refusalOf(idempotencyKey, { "Idempotency-Key": key }, "header")).to.equal(undefined);
  });

  const bad = [
    "",
    "a".repeat(15),
    "a".repeat(65),
    "0123456789abcde\r\n",
    "0123456789abcde\0",
    "0123456789abcde😀",
  ];
  bad.push(
    "0123456789abcde*",
    "{a}:b{a}:b{a}:b{a}:b",
    "0123456789abcdef, 0123456789abcdef",
    "0123456789abcdef\n",
  );
  refuses(
    "",
    idempotencyKey,
    bad.map((key) => ({ "Idempotency-Key": key })),
    "header",
  );
});

describe("a query", () => {
  it("defaults to 20 rows and takes up to 100", () => {
    expect(parse(ordersQuery, {}, "query").limit).to.equal(20);
    expect(parse(ordersQuery, { limit: "100" }, "query").limit).to.equal(100);
  });

  refuses(
    "",
    ordersQuery,
    [
      { sort: "id;DROP TABLE orders" },
      { sort: "(SELECT 1)" },
      { order: "DESC--" },
      { "filter[where]": "1" },
      { page: "99999999999" },
      { userId: "2" },
      { status: "success" },
      { status: ["PENDING", "SUCCESS"] },
      ...["-1", "0", "1e9", "1e1", "abc", "101", " 5", "05", "", "1.0", ["1", "2"]].map((limit) => ({
        limit,
      })),
      ...["0", "-1", "1e3", "0x10", " 7", "99999999999999999", "9007199254740993"].map((productId) => ({
        productId,
      })),
      ...["", "x", "bnVsbA", encodeCursor(5), "W10", "a".repeat(129)].map((cursor) => ({ cursor })),
    ],
    "query",
  );
  refuses("anything on a route without one:", noQuery, [{ token: "x" }, { limit: "1" }], "query");

  it("takes the cursors that pages give, and only those of its own kind", () => {
    const position = [1_798_794_000_000, newOrderIds[0] ?? ""] as const;
    expect(parse(ordersQuery, { cursor: encodeCursor(position) }, "query").cursor).to.deep.equal(position);
    expect(parse(idPageQuery, { cursor: encodeCursor(5) }, "query").cursor).to.equal(5);
    expect(refusalOf(idPageQuery, { cursor: encodeCursor(position) }, "query")?.code).to.equal(
      "validation_failed",
    );
  });

  it("never throws anything but a refusal, whatever the cursor", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: "binary" }),
          fc.json({ maxDepth: 2 }).map((text) => Buffer.from(text).toString("base64url")),
        ),
        (cursor) => {
          refusalOf(ordersQuery, { cursor }, "query");
          refusalOf(idPageQuery, { cursor }, "query");
        },
      ),
      { numRuns: 1_000 },
    );
  });
});

describe("a path", () => {
  it("takes order ids of both versions and product ids", () => {
    for (const id of newOrderIds) expect(parse(orderPath, { id }, "path").id).to.equal(id);
    expect(parse(productPath, { id: "17" }, "path").id).to.equal(17);
  });
  refuses(
    "order",
    orderPath,
    ["1", "..", "%2e", "019a0b6c-7b1e-4c3a-9f52-6d8a3c1e4b70"].map((id) => ({ id })),
    "path",
  );
  refuses(
    "product",
    productPath,
    ["0", "-1", "1.0", "1e3", "abc", "١"].map((id) => ({ id })),
    "path",
  );
});

describe("a refusal", () => {
  it("names every field at once, by JSON pointer", () => {
    const refused = refusalOf(orderBody, { productId: 0, quantity: 0, price: 1 });
    expect(pointersOf(refused)?.toSorted()).to.deep.equal(["/price", "/productId", "/quantity"]);
  });

  it("points into the part of the request that was wrong", () => {
    const ofQuery = pointersOf(refusalOf(ordersQuery, { limit: "x" }, "query"));
    expect(new Set(ofQuery)).to.deep.equal(new Set(["#/query/limit"]));
    expect(pointersOf(refusalOf(orderPath, { id: "x" }, "path"))).to.deep.equal(["#/path/id"]);
  });

  it("escapes what a pointer cannot say as it is", () => {
    expect(pointersOf(refusalOf(orderBody, { productId: 1, "a/b~c": 1 }))).to.deep.equal(["/a~1b~0c"]);
  });

  it("stays small however much is wrong", () => {
    const many = Object.fromEntries(Array.from({ length: 1_000 }, (_, n) => [`field${n}`, n]));
    expect(refusalOf(orderBody, many)?.details.errors?.length).to.be.at.most(20);
    const long = refusalOf(orderBody, { ["x".repeat(9_000)]: 1 });
    expect(JSON.stringify(long?.details).length).to.be.below(20_000);
  });

  it("names no library", () => {
    const refused = refusalOf(orderBody, { productId: "x", quantity: {} });
    expect(JSON.stringify(refused?.details)).not.to.match(/joi|validationerror|stack/i);
  });

  it("leaves the request as it came", () => {
    const body = Object.freeze({ username: "mina.kim", email: "A@X.com", password: "correct horse" });
    parse(signupBody, body);
    expect(body.email).to.equal("A@X.com");
  });
});
