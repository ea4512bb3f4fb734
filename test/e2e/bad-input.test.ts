import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { connect } from "node:net";
import { expect } from "chai";
import { keys } from "../../shared/redis/keys.ts";
import type { Program } from "../../tools/stack/programs.ts";
import { codeOf, orderOf, problemOf, saleOf, successOf, userOf, type SaleBody } from "../support/bodies.ts";
import {
  createHttpClient,
  inParallel,
  type Answer,
  type Ask,
  type HttpClient,
} from "../support/http-client.ts";
import { NAUGHTY_STRINGS, percent } from "../support/naughty-strings.ts";
import { rawRequest, sendRaw, type RawAnswer } from "../support/raw-http.ts";
import { broken, openSandbox, type Person, type Sandbox } from "../support/sandbox.ts";
import { edited, forge, fromNow, goodClaims, unsigned, withRawExpiry } from "../support/tokens.ts";
import { settlesWithin } from "../../tools/stack/wait.ts";
import { until } from "../support/until.ts";

/** bad-inputs' 200 ms, and what a busy machine adds, over a password above all. */
const ANSWER_MS = 5_000;
/** Above DISCARD_MS_MAX of the API; far below its time-out of a request, 15 s. */
const FLOOD_DEADLINE_MS = 6_000;
const MEMORY_GROWTH_MAX_BYTES = 50 * 1024 * 1024;
const BODY_BYTES_MAX = 10 * 1024;
const MEGABYTE = 1024 * 1024;
const HOUR_MS = 3_600_000;

/** What no answer may tell: code, places, statements, names of parts. */
const INSIDE =
  /node_modules|\n\s+at |\.[jt]s:\d|\/work\/|\bstack\b|SELECT |INSERT |ER_[A-Z]|errno|sequelize|mysql|maria|redis|kafka|express|\bjoi\b|ValidationError|SyntaxError|TypeError|Unexpected token|\[object/i;

describe("bad input", function () {
  this.timeout(60_000);
  let sandbox: Sandbox;
  let api: Program;
  let http: HttpClient;
  let buyer: Person;
  let other: Person;
  let sale: SaleBody;
  let state: string;

  before(async () => {
    sandbox = await openSandbox();
    api = await sandbox.start("api", { env: { LOG_LEVEL: "info" } });
    http = sandbox.client(api);
    [buyer, other] = (await sandbox.users(2)) as [Person, Person];
    sale = await sandbox.openSale(http, { stock: 1_000, perUserLimit: 2 });
  });
  after(() => (sandbox as Sandbox | undefined)?.close());

  /** All that an order or an account could leave behind. */
  const stateNow = async (): Promise<string> => {
    const tables = ["users", "products", "orders", "settlements", "dead_letters"];
    const rows = tables.map((table) => sandbox.database.count("SELECT COUNT(*) FROM ??", [table]));
    const left = await sandbox.redis.hget(keys.stock(sale.id), "left");
    const pending = await sandbox.redis.hlen(keys.reservations(sale.id));
    return JSON.stringify([left, pending, await Promise.all(rows), await sandbox.ends()]);
  };
  const refused = (answer: Answer, status: number, code: string): void => {
    const said = `${answer.status} ${answer.text}`;
    expect([answer.status, codeOf(answer)], said).to.deep.equal([status, code]);
    expect(answer.headers["content-type"]).to.match(/^application\/problem\+json/);
    expect(answer.text).not.to.match(INSIDE);
    const problem = problemOf(answer);
    expect(problem).to.include({ success: false, status, type: `urn:flashpay:problem:${code}` });
    expect(problem.title).to.match(/^[A-Z]/);
    expect(problem.detail).to.be.a("string").and.not.equal("");
    expect(problem.traceId).to.match(/^[0-9a-f]{32}$/);
    for (const { pointer, detail } of problem.errors ?? []) {
      expect(pointer).to.match(/^(#?\/|$)/);
      expect(detail).to.be.a("string");
    }
    expect(answer.ms, "ms").to.be.lessThan(ANSWER_MS);
  };
  const order = (body: Ask["body"], headers: Ask["headers"] = {}) =>
    http.send("POST", "/api/orders", { token: buyer.token, ...(body !== undefined && { body }), headers });
  const asJson = { "Content-Type": "application/json" };

  describe("changes nothing:", () => {
    beforeEach(async () => {
      state = await stateNow();
    });
    afterEach(async () => {
      expect(await stateNow()).to.equal(state);
    });

    describe("tokens (1–9)", () => {
      const secretless = (): Record<string, string | undefined> => {
        const claims = goodClaims(buyer.id);
        const { jwtSecret } = sandbox;
        const but = (changes: object): string => forge({ ...claims, ...changes }, jwtSecret);
        return {
          "none at all": undefined,
          "an empty one": "",
          "no token": "x",
          "alg none": unsigned(claims, "none"),
          "alg None": unsigned(claims, "None"),
          "alg HS256 without a signature": unsigned(claims, "HS256"),
          "an edited role": edited(buyer.token, { role: "admin" }),
          "an edited subject": edited(buyer.token, { sub: String(sandbox.host.id) }),
          "HS512 by the right secret": forge(claims, jwtSecret, "HS512"),
          "HS384 by the right secret": forge(claims, jwtSecret, "HS384"),
          "expired a second ago": but({ exp: fromNow(-1) }),
          "not before the future": but({ nbf: fromNow(600) }),
          "no expiry": but({ exp: undefined }),
          "expiry never": but({ exp: "never" }),
          "expiry null": but({ exp: null }),
          "expiry 1e400": withRawExpiry(buyer.id, "1e400", jwtSecret),
          "the secret secret": forge(claims, "secret"),
          "the secret changeme": forge(claims, "changeme"),
          "an empty secret": forge(claims, ""),
          "another audience": but({ aud: "another" }),
          "no audience": but({ aud: undefined }),
          "another issuer": but({ iss: "another" }),
          "no issuer": but({ iss: undefined }),
          "no id": but({ jti: undefined }),
          "no subject": but({ sub: undefined }),
          "a subject that is SQL": but({ sub: "1 OR 1=1" }),
          "subject 0": but({ sub: "0" }),
          "a role of its own making": but({ role: "root" }),
          "no role": but({ role: undefined }),
          "claims that are no object": forge('"x"', jwtSecret),
        };
      };

      it("of every bad kind are 401", async () => {
        for (const [what, token] of Object.entries(secretless())) {
          const answer = await http.send("POST", "/api/orders", { token, body: { productId: sale.id } });
          expect(answer.status, what).to.equal(401);
          refused(answer, 401, "unauthenticated");
          expect(answer.headers["www-authenticate"], what).to.equal("Bearer");
          expect((await http.get("/api/users/me", token)).status, what).to.equal(401);
        }
      });

      it("good ones count only in the right place", async () => {
        const body = { productId: sale.id };
        const ask = (path: string, headers = {}) => http.send("POST", path, { body, headers });
        refused(await ask(`/api/orders?token=${buyer.token}`), 401, "unauthenticated");
        refused(await ask(`/api/orders?access_token=${buyer.token}`), 401, "unauthenticated");
        refused(await ask("/api/orders", { Cookie: `token=${buyer.token}` }), 401, "unauthenticated");
        const headers = { Authorization: `Basic ${buyer.token}` };
        refused(await ask("/api/orders", headers), 401, "unauthenticated");
      });
    });

    describe("roles and other people's things (11–12)", () => {
      it("a user is no admin, by whatever header", async () => {
        const body = { title: "Mine", price: 1, stock: 1, startTime: new Date().toISOString() };
        for (const headers of [{}, { "X-HTTP-Method-Override": "GET" }, { "X-Role": "admin" }]) {
          const ask = { token: buyer.token, body, headers };
          refused(await http.send("POST", "/api/products", ask), 403, "forbidden");
        }
        const override = { token: buyer.token, headers: { "X-HTTP-Method-Override": "POST" } };
        const list = await http.send("GET", "/api/products", override);
        expect(list.status).to.equal(200);
        refused(await http.get(`/api/settlements/products/${sale.id}`, buyer.token), 403, "forbidden");
      });

      it("?userId= of somebody else is refused", async () => {
        for (const path of ["/api/orders", "/api/settlements"])
          refused(await http.get(`${path}?userId=${other.id}`, buyer.token), 400, "validation_failed");
      });
    });

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
          refused(await http.post("/api/users/signup", { ...account(), ...more }), 400, "validation_failed");
      });

      it("unknown ones of an order are refused", async () => {
        for (const more of [
          { price: 1 },
          { unitPrice: 1 },
          { userId: other.id },
          { status: "SUCCESS" },
          { amount: 0 },
        ])
          refused(await order({ productId: sale.id, ...more }), 400, "validation_failed");
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
          refused(await order(`{"productId":${raw}}`, asJson), 400, "validation_failed");
        });
      }

      it("a productId that is missing", async () => {
        refused(await order({}), 400, "validation_failed");
        refused(await order({ quantity: 1 }), 400, "validation_failed");
      });

      it("a product that does not exist", async () => {
        refused(await order({ productId: 999_999_999 }), 404, "not_found");
        refused(await http.get("/api/products/999999999"), 404, "not_found");
      });

      for (const raw of ["0", "-1", "1.5", '"1"', "2147483648", "1e308", "101", "null", "[1]", "true"]) {
        it(`quantity ${raw}`, async () => {
          refused(
            await order(`{"productId":${sale.id},"quantity":${raw}}`, asJson),
            400,
            "validation_failed",
          );
        });
      }

      it("a quantity above the limit of one buyer", async () => {
        const answer = await order({ productId: sale.id, quantity: 3 });
        refused(answer, 409, "limit_exceeded");
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
          const answer = await http.post("/api/products", { ...product(), ...different }, sandbox.host.token);
          refused(answer, 400, "validation_failed");
        });
      }

      it("__proto__ and constructor", async () => {
        for (const text of [
          `{"productId":${sale.id},"__proto__":{"role":"admin","quantity":2}}`,
          `{"productId":${sale.id},"constructor":{"prototype":{"x":1}}}`,
          `{"__proto__":{"productId":${sale.id}}}`,
        ])
          refused(await order(text, asJson), 400, "validation_failed");
        const polluted = account();
        const text = JSON.stringify(polluted).replace("{", '{"__proto__":{"role":"admin"},');
        refused(
          await http.send("POST", "/api/users/signup", { body: text, headers: asJson }),
          400,
          "validation_failed",
        );
      });

      it("several wrong ones are told at once, by pointer", async () => {
        const { errors = [] } = problemOf(await order({ productId: "x", quantity: 0, more: 1 }));
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
          const answer = await http.post("/api/users/signup", { ...account(), password });
          refused(answer, 400, "validation_failed");
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
          refused(await http.post("/api/users/signup", { ...account(), email }), 400, "validation_failed");
        });
      }

      for (const username of ["ab", "a".repeat(33), "a b", "mina;--", "mína", "", "a\nb"]) {
        it(`user name ${JSON.stringify(username).slice(0, 30)}`, async () => {
          refused(await http.post("/api/users/signup", { ...account(), username }), 400, "validation_failed");
        });
      }

      it("a log-in with both names, or none", async () => {
        const password = "correct horse battery";
        for (const body of [{ password }, { username: "a", email: "a@b.co", password }, { username: "a" }])
          refused(await http.post("/api/users/login", body), 400, "validation_failed");
        refused(
          await http.post("/api/users/login", { username: { $ne: 1 }, password }),
          400,
          "validation_failed",
        );
      });
    });

    describe("Idempotency-Key (24)", () => {
      const body = () => JSON.stringify({ productId: sale.id });
      const withKeys = (...lines: string[]): Promise<RawAnswer> =>
        sendRaw(
          api.url,
          rawRequest(
            "POST",
            "/api/orders",
            [
              `Authorization: Bearer ${buyer.token}`,
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

    describe("bodies (29, 30, 32, 33)", () => {
      const send = (body: Ask["body"], headers: Ask["headers"] = asJson) => order(body, headers);
      const padded = (bytes: number): string => {
        const text = JSON.stringify({ productId: 0, note: "" });
        return text.replace('"note":"', `"note":"${"x".repeat(bytes - text.length)}`);
      };

      it("of 10 kB are read, one byte more is 413", async () => {
        refused(await send(padded(BODY_BYTES_MAX)), 400, "validation_failed");
        refused(await send(padded(BODY_BYTES_MAX + 1)), 413, "payload_too_large");
        refused(await send(padded(MEGABYTE)), 413, "payload_too_large");
      });

      it("that never end, or unfold, cost no memory", async () => {
        const before = residentBytes(api);
        const bomb = gzipSync(Buffer.alloc(100 * MEGABYTE, " "));
        refused(await send(bomb, { ...asJson, "Content-Encoding": "gzip" }), 413, "payload_too_large");
        // Whoever only sends may find the connection cut before having read the answer.
        const flooded = flood(api.url, buyer.token, Infinity);
        expect(await settlesWithin(flooded, FLOOD_DEADLINE_MS), "the connection is cut").to.equal(true);
        expect(await flooded).to.match(/^(HTTP\/1\.1 413|$)/);
        expect(residentBytes(api) - before).to.be.lessThan(MEMORY_GROWTH_MAX_BYTES);
      });

      it("in an encoding that is none", async () => {
        refused(await send("{}", { ...asJson, "Content-Encoding": "zip" }), 415, "unsupported_media_type");
        const answer = await send("{}", { ...asJson, "Content-Encoding": "gzip" });
        expect(answer.status).to.be.oneOf([400, 415]);
        refused(answer, answer.status, codeOf(answer));
      });

      it("deep as a well", async () => {
        const deep = (levels: number): string => "[".repeat(levels) + "]".repeat(levels);
        refused(await send(deep(5_000)), 400, "validation_failed");
        refused(await send(`{"productId":${deep(5_000)}}`), 400, "validation_failed");
        refused(await send('{"a":'.repeat(2_000)), 400, "invalid_json");
        refused(await send(deep(50_000)), 413, "payload_too_large");
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
          refused(answer, 400, codeOf(answer));
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
          refused(await send('{"productId":1}', headers), 415, "unsupported_media_type");
        });
      }
    });

    describe("queries, paths, methods (34, 41, 42, 45)", () => {
      for (const query of [
        ...[
          "sort=id;DROP TABLE users",
          "sort=(SELECT 1)",
          "order=DESC--",
          "filter[where]=1",
          "limit=-1",
          "limit=0",
          "limit=101",
        ],
        ...[
          "limit=1e9",
          "limit=abc",
          "limit=10&limit=20",
          "limit[]=1",
          "limit=%00",
          "page=99999999999",
          "offset=1",
          "cursor=x",
        ],
        ...[
          "cursor=",
          "cursor=e30",
          "cursor=WzFd",
          "cursor=-1",
          "cursor[$gt]=1",
          `cursor=${"A".repeat(500)}`,
          "__proto__[x]=1",
        ],
        ...["limit=%E0%A4%A", "constructor=1"],
      ]) {
        it(`?${query.slice(0, 40)}`, async () => {
          const asked = query.replaceAll(" ", "%20");
          for (const path of ["/api/orders", "/api/products", "/api/settlements"])
            refused(await http.get(`${path}?${asked}`, buyer.token), 400, "validation_failed");
        });
      }

      it("?status= and ?productId= that are none", async () => {
        for (const query of [
          "status=DONE",
          "status=success",
          "status=",
          "productId=x",
          "productId=0",
          "productId=-1",
        ])
          refused(await http.get(`/api/orders?${query}`, buyer.token), 400, "validation_failed");
      });

      for (const id of [
        "x",
        "0",
        "-1",
        "1.5",
        "1e3",
        "%20",
        "1%20OR%201=1",
        "9007199254740993",
        "%00",
        "0x10",
        "01",
      ]) {
        it(`/${id} as an id`, async () => {
          for (const [path, token] of [
            [`/api/products/${id}`, undefined],
            [`/api/settlements/users/${id}`, buyer.token],
            [`/api/settlements/products/${id}/total`, sandbox.host.token],
          ] as const)
            refused(await http.get(path, token), 400, "validation_failed");
        });
      }

      it("an order id that is none", async () => {
        for (const id of ["1", "x", randomUUID(), `${randomUUID()}x`, "%27", "a".repeat(500)])
          refused(await http.get(`/api/orders/${id}`, buyer.token), 400, "validation_failed");
      });

      it("a path that is no path", async () => {
        const answer = await http.get("/api/products/%E0%A4%A");
        refused(answer, 400, "validation_failed");
      });

      it("another origin gets no leave to read", async () => {
        const headers = { Origin: "https://evil.example", "Access-Control-Request-Method": "POST" };
        for (const method of ["GET", "OPTIONS"]) {
          const answer = await http.send(method, "/api/products", { headers });
          expect(answer.headers).to.not.have.any.keys(
            "access-control-allow-origin",
            "access-control-allow-credentials",
          );
        }
      });

      it("methods that are not served", async () => {
        for (const method of ["TRACE", "PUT", "PATCH", "DELETE", "PROPFIND"])
          refused(await http.send(method, "/api/orders"), 405, "method_not_allowed");
        expect((await http.send("HEAD", "/api/users/login")).status).to.equal(405);
      });

      it("addresses that are not there", async () => {
        for (const path of [
          ...[
            "/orders/../admin",
            "/api/orders/../../admin",
            "/api/%2e%2e/admin",
            "//api/orders",
            "/api//orders",
            "/API",
          ],
          ...[
            "/.env",
            "/.git/config",
            "/admin",
            "/index.php",
            "/api",
            "/api/admin",
            "/package.json",
            "/api/users/1",
          ],
        ])
          refused(await http.get(path, buyer.token), 404, "not_found");
      });

      it("tells nothing of what it is made of", async () => {
        const { headers } = await http.get("/api/products");
        expect(headers).to.not.have.any.keys("x-powered-by", "server");
      });
    });

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
          const answer = await sendRaw(api.url, bytes);
          expect(answer.status, answer.head).to.be.oneOf([...status]);
          expect(answer.closed, "connection closed").to.equal(true);
          expect(`${answer.head}${answer.body}`).not.to.match(INSIDE);
        });
      }

      it("leaves others alone", async () => {
        expect((await http.get("/healthz")).status).to.equal(200);
      });
    });

    it("naughty strings, in every text field, never break anything (47)", async () => {
      const { token } = sandbox.host;
      const asks = NAUGHTY_STRINGS.flatMap((text): [string, string, Ask][] => [
        ["POST", "/api/users/signup", { body: { username: text, email: "a@b", password: text } }],
        ["POST", "/api/users/signup", { body: { username: "x", email: text, password: text } }],
        ["POST", "/api/users/login", { body: { username: text, password: text, more: text } }],
        ["POST", "/api/products", { token, body: { title: text, price: text, stock: 1, startTime: text } }],
        [
          "POST",
          "/api/products",
          { token, body: { title: text, price: 1, stock: 1, startTime: text, currency: text } },
        ],
        ["POST", "/api/orders", { token, body: { productId: text } }],
        ["POST", "/api/orders", { token, body: { [text]: text } }],
        ["POST", "/api/orders", { token, body: text, headers: asJson }],
        ["GET", `/api/orders/${percent(text)}`, { token }],
        ["GET", `/api/products?cursor=${percent(text)}`, {}],
        ["GET", `/api/settlements?${percent(text)}=1`, { token }],
      ]);
      const answers = await inParallel(asks, 16, ([method, path, ask]) => http.send(method, path, ask));
      for (const [i, answer] of answers.entries()) {
        const asked = JSON.stringify(asks[i]);
        // An empty or dotted name is another address, which is fine.
        expect(answer.status, asked).to.be.within(200, 499);
        if (answer.status < 400) continue;
        expect(problemOf(answer).code, asked).to.not.equal("internal");
        expect(answer.headers["content-type"], asked).to.match(/^application\/problem\+json/);
      }
    });
  });

  describe("that is on the edge is judged exactly:", () => {
    it("no unit is left: sold_out at once, and no message (19)", async () => {
      const one = await sandbox.openSale(http, { stock: 1 });
      expect((await http.post("/api/orders", { productId: one.id }, other.token)).status).to.equal(202);
      const before = await sandbox.ends();
      refused(await order({ productId: one.id }), 409, "sold_out");
      expect(await sandbox.ends()).to.equal(before);
    });

    it("sales that are not open yet, or over (20)", async () => {
      const soon = await sandbox.openSale(http, { stock: 1, startTime: Date.now() + HOUR_MS });
      refused(await order({ productId: soon.id }), 409, "sale_not_open");
      const over = await sandbox.openSale(http, {
        stock: 1,
        startTime: Date.now() - 2 * HOUR_MS,
        endTime: Date.now() - HOUR_MS,
      });
      refused(await order({ productId: over.id }), 409, "sale_closed");
      expect([soon.state, over.state]).to.deep.equal(["scheduled", "closed"]);
    });

    it("the window is [start, end), to the millisecond (20, 21)", async () => {
      const [start, end] = [Date.now() + 400, Date.now() + 800];
      const brief = await sandbox.openSale(http, {
        stock: 10_000,
        perUserLimit: 100,
        startTime: start,
        endTime: end,
      });
      const crowd = await sandbox.users(20);
      const heard = new Map<string, number>();
      await inParallel(crowd, crowd.length, async ({ token }) => {
        for (;;) {
          const answer = await http.post("/api/orders", { productId: brief.id }, token);
          const code = codeOf(answer);
          heard.set(code, (heard.get(code) ?? 0) + 1);
          if (answer.status === 202) {
            expect(Date.parse(orderOf(answer).acceptedAt)).to.be.within(start, end - 1);
          }
          if (code === "sale_closed") return;
          expect(code).to.be.oneOf(["sale_not_open", "status 202", "limit_exceeded"]);
        }
      });
      expect(heard.get("status 202")).to.be.greaterThan(20);
      expect(heard.get("sale_not_open")).to.be.greaterThan(0);
    });

    it("fifty parallel orders over a limit of one: one 202, 49 × 409 (22, 23)", async () => {
      const one = await sandbox.openSale(http, { stock: 100 });
      const answers = await Promise.all(Array.from({ length: 50 }, () => order({ productId: one.id })));
      const codes = answers.map(codeOf);
      expect(codes.filter((code) => code === "status 202")).to.have.length(1);
      for (const code of codes)
        expect(code).to.be.oneOf(["status 202", "order_in_progress", "limit_exceeded"]);
      expect(saleOf(await http.get(`/api/products/${one.id}`)).stockLeft).to.equal(99);
    });

    it("fifty parallel copies under one key: one order (27)", async () => {
      const one = await sandbox.openSale(http, { stock: 100, perUserLimit: 50 });
      const headers = { "Idempotency-Key": randomUUID() };
      const ask = () => order({ productId: one.id }, headers);
      const answers = await Promise.all(Array.from({ length: 50 }, ask));
      const accepted = answers.filter(({ status }) => status === 202);
      expect(new Set(accepted.map(({ text }) => text)).size).to.equal(1);
      for (const code of answers.map(codeOf)) expect(code).to.be.oneOf(["status 202", "order_in_progress"]);
      expect(saleOf(await http.get(`/api/products/${one.id}`)).stockLeft).to.equal(99);
    });

    it("passwords are kept to the letter (39)", async () => {
      for (const password of [
        "  blanks around it  ",
        "👾".repeat(18),
        "é".repeat(36),
        "x".repeat(3) + "Y1%&/()=",
      ]) {
        const username = `kept-${randomUUID().slice(0, 8)}`;
        const account = { username, email: `${username}@example.com`, password };
        expect((await http.post("/api/users/signup", account)).status, password).to.equal(201);
        expect((await http.post("/api/users/login", { username, password })).status).to.equal(200);
        for (const wrong of [password.trim().slice(0, -1), `${password}x`, ` ${password}`])
          refused(await http.post("/api/users/login", { username, password: wrong }), 401, "unauthenticated");
      }
    });

    it("one e-mail, one name, whatever the case (38, 40)", async () => {
      const username = `Mixed-${randomUUID().slice(0, 8)}`;
      const account = { username, email: `${username}@Example.COM`, password: "correct horse battery" };
      const made = userOf(await http.post("/api/users/signup", account));
      expect([made.email, made.role]).to.deep.equal([account.email.toLowerCase(), "user"]);
      const taken = {
        ...account,
        username: `x-${randomUUID().slice(0, 8)}`,
        email: account.email.toUpperCase(),
      };
      refused(await http.post("/api/users/signup", taken), 409, "email_taken");
      const sameName = { ...account, username: username.toLowerCase(), email: `${randomUUID()}@example.com` };
      refused(await http.post("/api/users/signup", sameName), 409, "username_taken");
    });

    it("a wrong password and an unknown user sound the same, and take as long (37)", async () => {
      const username = `timed-${randomUUID().slice(0, 8)}`;
      const account = { username, email: `${username}@example.com`, password: "correct horse battery" };
      await http.post("/api/users/signup", account);
      const times: [number[], number[]] = [[], []];
      const bodies = new Set<string>();
      for (let i = 0; i < 14; i += 1) {
        for (const [kind, name] of [username, `nobody-${i}`].entries()) {
          const answer = await http.post("/api/users/login", { username: name, password: "wrong password" });
          refused(answer, 401, "unauthenticated");
          bodies.add(JSON.stringify({ ...problemOf(answer), traceId: "" }));
          times[kind]?.push(answer.ms);
        }
      }
      expect(bodies.size).to.equal(1);
      const [known, unknown] = times.map(median) as [number, number];
      expect(Math.abs(known - unknown) / known, `${known} and ${unknown} ms`).to.be.lessThan(0.25);
    });
  });

  describe("comes in bounded numbers:", () => {
    let limited: Program;
    let client: HttpClient;

    before(async () => {
      limited = await sandbox.start("api", {
        name: "api-limited",
        env: {
          RATE_LIMIT_PER_ADDRESS: "60",
          RATE_LIMIT_ORDERS_PER_USER: "5",
          LOGIN_FAILURES_PER_ACCOUNT: "10",
          LOGIN_FAILURES_PER_ADDRESS: "15",
        },
      });
      client = sandbox.client(limited);
    });
    // Tries are counted in Redis, by all processes: what others made of them does not count here.
    beforeEach(async () => {
      await sandbox.redis.del("none", ...(await sandbox.redis.keys("rate:*")));
    });

    const tooMany = (answer: Answer): void => {
      refused(answer, 429, "too_many_requests");
      expect(Number(answer.headers["retry-after"])).to.be.within(1, 60);
    };
    /** The window of a second is over, and the next one is fresh. */
    const calm = () =>
      until(
        "the limit is lifted",
        async () => (await client.get("/api/products?limit=1")).status === 200,
        3_000,
        200,
      );

    it("of one address, whatever X-Forwarded-For says (35)", async () => {
      const asks = Array.from({ length: 150 }, (_, i) => `10.0.0.${i}`);
      const answers = await inParallel(asks, 32, (address) =>
        client.send("GET", "/api/products?limit=1", { headers: { "X-Forwarded-For": address } }),
      );
      const refusals = answers.filter(({ status }) => status === 429);
      expect(refusals.length).to.be.greaterThan(20);
      for (const answer of refusals) tooMany(answer);
      expect((await client.get("/healthz")).status, "health is never refused").to.equal(200);
      await calm();
    });

    it("of one user's orders", async () => {
      const one = await sandbox.openSale(http, { stock: 100, perUserLimit: 100 });
      const [busy] = await sandbox.users(1);
      const answers = await inParallel(
        Array.from({ length: 20 }, (_, i) => i),
        1,
        () => client.post("/api/orders", { productId: one.id }, busy!.token),
      );
      const refusals = answers.filter(({ status }) => status === 429);
      expect(refusals.length).to.be.greaterThan(5);
      for (const answer of refusals) tooMany(answer);
      const taken = 100 - saleOf(await http.get(`/api/products/${one.id}`)).stockLeft;
      expect(taken).to.equal(answers.filter(({ status }) => status === 202).length);
      await calm();
    });

    it("of wrong log-ins on one account, from wherever (36)", async () => {
      const { username } = other;
      const right = { username, password: "seeded horse battery" };
      expect((await client.post("/api/users/login", right)).status).to.equal(200);
      const spread = await sandbox.start("api", {
        name: "api-spread",
        env: { LOGIN_FAILURES_PER_ACCOUNT: "10", TRUST_PROXY: "1" },
      });
      const elsewhere = sandbox.client(spread);
      for (let i = 0; i < 11; i += 1) {
        const answer = await elsewhere.send("POST", "/api/users/login", {
          body: { username: i % 2 ? username : username.toUpperCase(), password: "wrong password" },
          headers: { "X-Forwarded-For": `10.1.1.${i}` },
        });
        if (i < 10) refused(answer, 401, "unauthenticated");
        else tooMany(answer);
      }
      tooMany(await elsewhere.post("/api/users/login", right));
      const stranger = { username: buyer.username, password: "seeded horse battery" };
      expect((await elsewhere.post("/api/users/login", stranger)).status, "another account").to.equal(200);
      await sandbox.redis.del(...(await sandbox.redis.keys("rate:login-account*")));
      expect((await elsewhere.post("/api/users/login", right)).status, "a minute later").to.equal(200);
      await spread.stop();
    });

    it("of wrong log-ins, and taken names, from one address (36, 38)", async () => {
      for (let i = 0; i < 16; i += 1) {
        const body = { username: `nobody-${randomUUID()}`, password: "wrong password" };
        const answer = await client.post("/api/users/login", body);
        if (i < 15) refused(answer, 401, "unauthenticated");
        else tooMany(answer);
      }
      for (let i = 0; i < 16; i += 1) {
        const body = {
          username: buyer.username,
          email: `${randomUUID()}@example.com`,
          password: "correct horse battery",
        };
        const answer = await client.post("/api/users/signup", body);
        if (i < 15) refused(answer, 409, "username_taken");
        else tooMany(answer);
      }
    });
  });

  it("finds nothing open in production that is not part of the product (45)", async () => {
    const env = { NODE_ENV: "production", API_DOCS: "", METRICS: "" };
    const production = await sandbox.start("api", { name: "api-production", env });
    const client = createHttpClient(production.url);
    for (const path of ["/api-docs", "/api-docs/", "/api-docs.json", "/metrics", "/.env", "/.git/config"])
      refused(await client.get(path), 404, "not_found");
    expect((await client.get("/healthz")).status).to.equal(200);
    client.close();
    await production.stop();
  });

  describe("in the end", () => {
    it("the log is one JSON object a line, without a secret, a stack, or a bug", () => {
      const lines = readFileSync(sandbox.home.log("api"), "utf8").trimEnd().split("\n");
      expect(lines.length).to.be.greaterThan(500);
      for (const line of lines) {
        const entry = JSON.parse(line) as { level: unknown; msg: string; err?: unknown };
        expect(entry.msg, line).not.to.match(/bug/);
      }
      const text = lines.join("\n");
      for (const secret of [
        buyer.token,
        sandbox.host.token,
        sandbox.jwtSecret,
        "correct horse",
        "seeded horse",
      ])
        expect(text.includes(secret), secret.slice(0, 12)).to.equal(false);
    });

    it("stock, rows and log agree", async () => {
      await sandbox.start("worker");
      const verdict = await sandbox.verify();
      expect(broken(verdict)).to.deep.equal([]);
      expect(successOf(await http.get("/healthz")).success).to.equal(true);
    });
  });
});

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
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
