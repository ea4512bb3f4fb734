import fc from "fast-check";
import type { Ask } from "../support/http-client.ts";
import { NAUGHTY_STRINGS, percent } from "../support/naughty-strings.ts";
import type { Operation, Parameter } from "./operations.ts";

export interface FuzzedRequest {
  readonly operation: string;
  readonly method: string;
  readonly path: string;
  readonly ask: Ask;
}

/** What good requests are made of. */
export interface Goods {
  /** undefined: nobody. */
  readonly tokens: readonly (string | undefined)[];
  /** Tokens that nobody misses, of users of their own: a log-out that succeeds ends one, or all of its user's. */
  readonly spareTokens: readonly string[];
  readonly productId: number;
}

const METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD", "TRACE"];
const TYPES = [
  "application/json",
  "application/json; charset=utf-7",
  "text/plain",
  "application/xml",
  "",
  "*/*",
];
const ENCODINGS = ["gzip", "deflate", "br", "identity", "x"];
const BODY_BYTES_MAX = 12_000;
/** With everything else a header may hold 16 kB. */
const JUNK_LENGTH_MAX = 12_000;

const naughty = fc.constantFrom(...NAUGHTY_STRINGS);
const wrong = fc.oneof(
  naughty,
  fc.string({ unit: "binary", maxLength: 80 }),
  fc.integer().map(String),
  fc.double().map(String),
);
/** Any JSON there is, and the numbers and names that have broken programs before. */
const anyValue = fc.oneof(
  fc.jsonValue(),
  naughty,
  fc.constantFrom<unknown>(null, true, -1, 0, 1.5, 1e308, 2 ** 53, [], {}, [[]], { $gt: 0 }),
  fc.bigInt().map(Number),
);
/** Only what a header can carry: a client could not send anything else. */
const headerText = fc
  .oneof(naughty, fc.string({ maxLength: 100 }))
  .map((text) => text.replace(/[^\t\x20-\x7e\x80-\xff]/g, "~"));

/** Of all operations: it is what units and money hang on, and few of its requests are good ones. */
const ORDERS_WEIGHT = 4;

/** Good, well-formed but wrong, and random requests to every operation, in equal parts but for orders. */
export function fuzzedRequests(operations: readonly Operation[], goods: Goods): fc.Arbitrary<FuzzedRequest> {
  const requests = operations.map((operation) => ({
    weight: operation.id === "placeOrder" ? ORDERS_WEIGHT : 1,
    arbitrary: requestTo(operation, goods),
  }));
  return fc.oneof(...requests);
}

function requestTo(operation: Operation, goods: Goods): fc.Arbitrary<FuzzedRequest> {
  const { id, parameters } = operation;
  const tokens = /^logOut/.test(id) ? goods.spareTokens : goods.tokens;
  const token = fc.oneof(
    { weight: 12, arbitrary: fc.constantFrom(...tokens) },
    headerText,
    ...withJunk(tokens),
  );
  return fc
    .record({
      method: fc.oneof({ weight: 9, arbitrary: fc.constant(operation.method) }, fc.constantFrom(...METHODS)),
      path: pathOf(operation, goods),
      query: queryOf(parameters.filter((parameter) => parameter.in === "query")),
      token,
      headers: headersOf(),
      body: bodyOf(operation, goods),
    })
    .map(({ method, path, query, token: given, headers, body }) => ({
      ...{ operation: id, method, path: `${path}${query}` },
      ask: { token: given, headers, ...(body !== undefined && { body }) },
    }));
}

/** Good tokens with something in front or behind, up to what a header can carry. */
function withJunk(tokens: Goods["tokens"]): fc.Arbitrary<string>[] {
  const given = tokens.filter((token) => token !== undefined);
  if (given.length === 0) return [];
  const good = fc.constantFrom(...given);
  const junk = fc.oneof(
    headerText,
    fc.nat(JUNK_LENGTH_MAX).map((length) => "x".repeat(length)),
  );
  const between = fc.constantFrom("", " ", ".", ",", "\t");
  return [
    fc.tuple(good, between, junk).map((parts) => parts.join("")),
    fc.tuple(junk, between, good).map((parts) => parts.join("")),
  ];
}

function pathOf({ path, parameters }: Operation, { productId }: Goods): fc.Arbitrary<string> {
  const inPath = parameters.filter((parameter) => parameter.in === "path");
  const values = inPath.map(({ example }) =>
    fc.oneof(
      fc.constantFrom(String(productId), `${(example as string | number | undefined) ?? 1}`),
      wrong.map(percent),
    ),
  );
  return fc
    .tuple(...values)
    .map((all) =>
      all.reduce((address, value, n) => address.replace(`{${inPath[n]?.name ?? ""}}`, () => value), path),
    );
}

function queryOf(parameters: readonly Parameter[]): fc.Arbitrary<string> {
  const name = fc.oneof(
    fc.constantFrom("limit", "x", ...parameters.map((parameter) => parameter.name)),
    wrong,
  );
  const pair = fc
    .tuple(name, fc.oneof(fc.constantFrom("1", "20", "PENDING"), wrong))
    .map(([key, value]) => `${percent(key)}=${percent(value)}`);
  return fc.oneof(
    { weight: 2, arbitrary: fc.constant("") },
    fc.array(pair, { maxLength: 4 }).map((pairs) => `?${pairs.join("&")}`),
  );
}

function headersOf(): fc.Arbitrary<Record<string, string>> {
  const some = fc.record(
    {
      "Content-Type": fc.constantFrom(...TYPES),
      "Content-Encoding": fc.constantFrom(...ENCODINGS),
      "Idempotency-Key": fc.oneof(headerText, fc.stringMatching(/^[A-Za-z0-9_-]{16,64}$/)),
      "X-Forwarded-For": headerText,
      "X-HTTP-Method-Override": fc.constantFrom(...METHODS),
      traceparent: headerText,
      Accept: headerText,
      Range: headerText,
      Cookie: headerText,
      Origin: headerText,
    },
    { requiredKeys: [] },
  );
  return fc.oneof({ weight: 2, arbitrary: fc.constant({}) }, some);
}

type Body = Ask["body"];

function bodyOf({ id, body }: Operation, { productId }: Goods): fc.Arbitrary<Body> {
  const junk: fc.Arbitrary<Body> = fc.oneof(
    fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
    fc.json(),
    fc.string({ maxLength: BODY_BYTES_MAX }),
    naughty,
  );
  if (!body) return fc.oneof({ weight: 3, arbitrary: fc.constant(undefined) }, junk);
  const good = id === "placeOrder" ? { ...body, productId } : body;
  const names = [...Object.keys(good), "__proto__", "constructor", "id", "role", "price"];
  // As text: an object of ours would lose its "__proto__" on the way.
  const bent = fc
    .array(fc.tuple(fc.constantFrom(...names), anyValue), { minLength: 1, maxLength: 3 })
    .map((changes) => {
      const fields = new Map<string, unknown>([...Object.entries(good), ...changes]);
      return `{${[...fields].map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`).join(",")}}`;
    });
  const half = bent.chain((text) => fc.nat(text.length).map((length) => text.slice(0, length)));
  // A sign-up that is good costs a password's hash, and the second one is taken.
  return fc.oneof(
    { weight: 2, arbitrary: fc.constant<Body>(good) },
    { weight: 4, arbitrary: bent },
    half,
    junk,
  );
}
