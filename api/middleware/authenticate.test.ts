import { createHmac } from "node:crypto";
import { expect } from "chai";
import express from "express";
import fc from "fast-check";
import jwt from "jsonwebtoken";
import sinon from "sinon";
import request from "supertest";
import { createFakeRevocations } from "../../shared/testing/fakes.ts";
import { createLogRecorder } from "../../shared/testing/log.ts";
import { principalOf } from "../request-context.ts";
import { createAuthenticate, createPlainCheck, createTokenIssuer, requireRole } from "./authenticate.ts";
import { errorHandler } from "./error-handler.ts";

const SECRET = "b8f1d3a5c79e2460b8f1d3a5c79e2460-Zx";
const NOW_S = Math.floor(Date.now() / 1_000);
const CLAIMS = {
  sub: "7",
  role: "user",
  jti: "jti-7",
  iss: "flashpay",
  aud: "flashpay-api",
  iat: NOW_S,
  exp: NOW_S + 600,
};

const revocations = createFakeRevocations();
const app = express()
  .get("/me", createAuthenticate(SECRET, revocations), (req, res) => {
    res.json(principalOf(req));
  })
  .get("/admin", createAuthenticate(SECRET, revocations), requireRole("admin"), (_req, res) => {
    res.json({});
  })
  .use(errorHandler(createLogRecorder()));

const encode = (part: unknown) =>
  Buffer.from(typeof part === "string" ? part : JSON.stringify(part)).toString("base64url");
/** A token put together by hand: libraries refuse to sign most of these. */
function forge(claims: unknown, { alg = "HS256", hash = "sha256", secret = SECRET } = {}): string {
  const signed = `${encode({ alg, typ: "JWT" })}.${encode(claims)}`;
  return `${signed}.${hash === "" ? "" : createHmac(hash, secret).update(signed).digest("base64url")}`;
}
const without = (name: keyof typeof CLAIMS) =>
  Object.fromEntries(Object.entries(CLAIMS).filter(([claim]) => claim !== name));
const ask = (token: string, path = "/me") => request(app).get(path).set("Authorization", `Bearer ${token}`);

describe("an access token", () => {
  it("of ours lets its user in, as that user", async () => {
    const { accessToken, expiresInS } = createTokenIssuer(SECRET, 600).issue({
      id: 7,
      role: "user",
      jti: "jti-7",
    });
    const response = await ask(accessToken);
    expect(response.status).to.equal(200);
    expect(response.body).to.include({ userId: 7, role: "user", jti: "jti-7" });
    expect(expiresInS).to.equal(600);
  });

  it("lets no cache keep what it is answered, the first time and later", async () => {
    const token = forge({ ...CLAIMS, jti: "jti-not-kept" });
    for (const answer of [await ask(token), await ask(token)])
      expect(answer.headers["cache-control"]).to.equal("no-store");
  });

  it("made by hand in the same way passes, so that each refusal below has its own reason", async () => {
    expect((await ask(forge(CLAIMS))).status).to.equal(200);
  });

  const [header, , signature] = forge(CLAIMS).split(".");
  const refused: [string, string][] = [
    ["of no algorithm", forge(CLAIMS, { alg: "none", hash: "" })],
    ["of no algorithm, with a signature", forge(CLAIMS, { alg: "None" })],
    [
      "that was edited under its old signature",
      `${header ?? ""}.${encode({ ...CLAIMS, role: "admin" })}.${signature ?? ""}`,
    ],
    ["of HS512 with the right secret", forge(CLAIMS, { alg: "HS512", hash: "sha512" })],
    ["of HS384 with the right secret", forge(CLAIMS, { alg: "HS384", hash: "sha384" })],
    ["that claims RS256", forge(CLAIMS, { alg: "RS256" })],
    ["that ran out a second ago", forge({ ...CLAIMS, exp: NOW_S - 1 })],
    ["that is not valid yet", forge({ ...CLAIMS, nbf: NOW_S + 60 })],
    ["without exp", forge(without("exp"))],
    ["without the time of its issue", forge(without("iat"))],
    ["with a time of its issue that is none", forge({ ...CLAIMS, iat: "now" })],
    ["with exp as text", forge({ ...CLAIMS, exp: "never" })],
    ["with exp beyond every number", forge(JSON.stringify(CLAIMS).replace(/"exp":\d+/, '"exp":1e400'))],
    ["with a broken exp", forge({ ...CLAIMS, exp: NOW_S + 600.5 })],
    ["of another issuer", forge({ ...CLAIMS, iss: "elsewhere" })],
    ["without issuer", forge(without("iss"))],
    ["for another audience", forge({ ...CLAIMS, aud: "elsewhere" })],
    ["without audience", forge(without("aud"))],
    ["without token id", forge(without("jti"))],
    ["with an empty token id", forge({ ...CLAIMS, jti: "" })],
    ["without subject", forge(without("sub"))],
    ["whose subject is no id", forge({ ...CLAIMS, sub: "7 OR 1=1" })],
    ["whose subject is 0", forge({ ...CLAIMS, sub: "0" })],
    ["whose subject is a number", forge({ ...CLAIMS, sub: 7 })],
    ["of a made-up role", forge({ ...CLAIMS, role: "root" })],
    ["without role", forge(without("role"))],
    ["signed with a well-known secret", forge(CLAIMS, { secret: "secret" })],
    ["signed with an empty secret", forge(CLAIMS, { secret: "" })],
    ["that is no JSON", forge("claims")],
    ["of one part", "abc"],
    ["that is empty", ""],
  ];
  for (const [what, token] of refused) {
    it(`${what} is refused`, async () => {
      const response = await ask(token);
      expect([response.status, response.headers["www-authenticate"]]).to.deep.equal([401, "Bearer"]);
      expect(response.body).to.include({ success: false, code: "unauthenticated" });
    });
  }

  const good = forge(CLAIMS);
  const shapes: [string, string][] = [
    ["with junk behind a space", `Bearer ${good} ${"x".repeat(15_000)}`],
    ["with little junk behind a space", `Bearer ${good} x`],
    ["with junk of a header's length", `Bearer ${good}${"A".repeat(15_000)}`],
    ["with junk in front", `x Bearer ${good}`],
    ["behind two spaces", `Bearer  ${good}`],
    ["behind a tab", `Bearer\t${good}`],
    ["with a comma and a second one", `Bearer ${good}, Bearer ${good}`],
    ["with a fourth part", `Bearer ${good}.x`],
    ["in quotes", `Bearer "${good}"`],
    ["that is longer than any of ours", `Bearer ${forge({ ...CLAIMS, more: "x".repeat(1_024) })}`],
  ];
  for (const [what, authorization] of shapes) {
    it(`${what} is refused, before that token was taken and after`, async () => {
      const fresh = createAuthenticate(SECRET, revocations);
      const own = express()
        .get("/me", fresh, (req, res) => void res.json(principalOf(req)))
        .use(errorHandler(createLogRecorder()));
      const statusOf = async (text: string): Promise<number> =>
        (await request(own).get("/me").set("Authorization", text)).status;
      expect(await statusOf(authorization)).to.equal(401);
      expect(await statusOf(`Bearer ${good}`)).to.equal(200);
      expect(await statusOf(authorization)).to.equal(401);
    });
  }

  it("is taken behind the scheme in any case, and looked at anew each time", async () => {
    for (const scheme of ["Bearer", "bearer", "BEARER", "bearer"]) {
      const { status } = await request(app).get("/me").set("Authorization", `${scheme} ${good}`);
      expect(status, scheme).to.equal(200);
    }
  });

  it("is not taken from the query, a cookie, or another scheme", async () => {
    const token = forge(CLAIMS);
    const asked = [
      request(app).get(`/me?token=${token}&access_token=${token}`),
      request(app).get("/me").set("Cookie", `token=${token}`),
      request(app).get("/me").set("Authorization", `Basic ${token}`),
      request(app).get("/me").set("Authorization", token),
      request(app).get("/me"),
    ];
    for (const response of await Promise.all(asked)) expect(response.status).to.equal(401);
  });

  it("that was revoked is refused", async () => {
    const token = forge({ ...CLAIMS, jti: "jti-revoked" });
    expect((await ask(token)).status).to.equal(200);
    await revocations.revoke("jti-revoked", CLAIMS.exp);
    expect((await ask(token)).status).to.equal(401);
  });

  it("that was taken before is refused from the moment on in which it is revoked", async () => {
    const token = forge({ ...CLAIMS, jti: "jti-seen-then-revoked" });
    expect((await ask(token)).status).to.equal(200);
    await revocations.revoke("jti-seen-then-revoked", CLAIMS.exp);
    expect((await ask(token)).status).to.equal(401);
  });

  it("that was issued before all of its user's were ended is refused, taken before or not; a later one is not", async () => {
    const { issue } = createTokenIssuer(SECRET, 600);
    const issuedAt = (ms: number): string => {
      const clock = sinon.useFakeTimers({ toFake: ["Date"], now: ms });
      try {
        return issue({ id: 8, role: "user", jti: `jti-${ms}` }).accessToken;
      } finally {
        clock.restore();
      }
    };
    const endedAt = Date.now() - 1_000;
    const [seen, unseen, later] = [issuedAt(endedAt - 1), issuedAt(endedAt), issuedAt(endedAt + 1)];
    expect((await ask(seen)).status).to.equal(200);
    await revocations.revokeAll(8, endedAt);
    expect([(await ask(seen)).status, (await ask(unseen)).status]).to.deep.equal([401, 401]);
    expect((await ask(later)).status).to.equal(200);
    expect((await ask(forge(CLAIMS))).status, "another user's").to.equal(200);
  });

  it("that was taken before is refused from the second on in which it expires", async () => {
    const token = forge({ ...CLAIMS, jti: "jti-seen-then-expired" });
    expect((await ask(token)).status).to.equal(200);
    const clock = sinon.useFakeTimers({ toFake: ["Date"], now: CLAIMS.exp * 1_000 - 1 });
    try {
      expect((await ask(token)).status).to.equal(200);
      clock.setSystemTime(CLAIMS.exp * 1_000);
      expect((await ask(token)).status).to.equal(401);
    } finally {
      clock.restore();
    }
  });

  it("that was taken before does not let in one with another signature, or behind another scheme", async () => {
    const token = forge(CLAIMS);
    expect((await ask(token)).status).to.equal(200);
    expect((await ask(`${token.slice(0, -2)}AA`)).status).to.equal(401);
    const { status } = await request(app).get("/me").set("Authorization", `Basic ${token}`);
    expect(status).to.equal(401);
  });

  it("says of no refusal what was wrong with it", async () => {
    const bodies = await Promise.all([
      ask(forge({ ...CLAIMS, exp: 1 })),
      ask("x"),
      ask(forge(CLAIMS, { secret: "x" })),
    ]);
    const details = bodies.map(({ body }) => (body as { detail: string }).detail);
    expect(new Set(details).size).to.equal(1);
  });

  it("carries no more than the server needs", () => {
    const { accessToken } = createTokenIssuer(SECRET, 600).issue({ id: 7, role: "user", jti: "j" });
    const claims = jwt.decode(accessToken) as Record<string, unknown>;
    expect(Object.keys(claims).sort()).to.deep.equal(["aud", "exp", "iat", "iss", "jti", "role", "sub"]);
  });
});

describe("a token of the key before", () => {
  const BEFORE = "c9e2f4b6d80f3571c9e2f4b6d80f3571-Yw";
  const rotated = express()
    .get("/me", createAuthenticate(SECRET, revocations, BEFORE), (req, res) => {
      res.json(principalOf(req));
    })
    .use(errorHandler(createLogRecorder()));
  const issued = (secret: string) =>
    createTokenIssuer(secret, 600).issue({ id: 7, role: "user", jti: "j" }).accessToken;
  const statusOf = async (token: string): Promise<number> =>
    (await request(rotated).get("/me").set("Authorization", `Bearer ${token}`)).status;

  it("is taken as one of the present key is, with a kid or without", async () => {
    expect([await statusOf(issued(SECRET)), await statusOf(issued(BEFORE))]).to.deep.equal([200, 200]);
    expect(await statusOf(forge(CLAIMS))).to.equal(200);
  });

  it("is not taken once that key is no longer set", async () => {
    const response = await request(app)
      .get("/me")
      .set("Authorization", `Bearer ${issued(BEFORE)}`);
    expect(response.status).to.equal(401);
  });

  it("must be signed by the key that it names", async () => {
    const swap = (header: string, rest: string) =>
      [header.split(".")[0], ...rest.split(".").slice(1)].join(".");
    expect(await statusOf(swap(issued(BEFORE), issued(SECRET)))).to.equal(401);
    expect(await statusOf(swap(issued(SECRET), issued(BEFORE)))).to.equal(401);
    expect(await statusOf(issued("d1e2f4b6d80f3571c9e2f4b6d80f3571-Qq"))).to.equal(401);
  });
});

describe("an administrator's route", () => {
  it("is forbidden to a user and open to an administrator", async () => {
    expect((await ask(forge(CLAIMS), "/admin")).status).to.equal(403);
    expect((await ask(forge({ ...CLAIMS, role: "admin" }), "/admin")).status).to.equal(200);
  });
});

describe("the short way to know a token", () => {
  const PREVIOUS = "previous-b8f1d3a5c79e2460b8f1d3a5c79e2460";
  const check = createPlainCheck(SECRET, PREVIOUS);
  const mine = (secret: string, claims: object = {}) => {
    const { accessToken } = createTokenIssuer(secret, 600).issue({ id: 7, role: "user", jti: "jti-7" });
    const [header = ""] = accessToken.split(".");
    const signed = `${header}.${encode({ ...CLAIMS, ...claims })}`;
    return `${signed}.${createHmac("sha256", secret).update(signed).digest("base64url")}`;
  };

  it("knows ours, of the current key and of the previous one", () => {
    for (const secret of [SECRET, PREVIOUS]) {
      const { accessToken } = createTokenIssuer(secret, 600).issue({ id: 7, role: "admin", jti: "j" });
      expect(check(`Bearer ${accessToken}`)).to.include({ userId: 7, role: "admin", jti: "j" });
    }
  });

  it("leaves everything else to passport-jwt", () => {
    const past = { exp: NOW_S - 1 };
    const claims = [past, { nbf: NOW_S - 9 }, { iss: "x" }, { aud: ["flashpay-api"] }, { exp: "never" }];
    for (const change of [...claims, { role: "root" }, { sub: "0" }, { jti: "" }])
      expect(check(`Bearer ${mine(SECRET, change)}`), JSON.stringify(change)).to.equal(undefined);
    for (const text of ["", "Bearer ", `Bearer ${forge(CLAIMS)}`, `bearer ${mine(SECRET)}`, mine(SECRET)])
      expect(check(text), text).to.equal(undefined);
    expect(check(`Bearer ${mine("another-secret-b8f1d3a5c79e2460b8f1")}`)).to.equal(undefined);
  });

  it("accepts nothing that passport-jwt does not, whatever is done to a good token", async () => {
    const good = mine(SECRET);
    expect(check(`Bearer ${good}`)).to.include({ userId: 7 });
    const alphabet = fc.constantFrom(...Array.from("ABCabc012-_.= \u00e9"));
    const change = fc.record({ at: fc.nat({ max: good.length }), cut: fc.nat({ max: 3 }), put: alphabet });
    await fc.assert(
      fc.asyncProperty(change, fc.boolean(), async ({ at, cut, put }, insert) => {
        const token = good.slice(0, at) + (insert ? put : "") + good.slice(at + cut);
        if (!check(`Bearer ${token}`)) return;
        expect(token).to.equal(good);
        expect((await ask(token)).status).to.equal(200);
      }),
      { numRuns: 1_000 },
    );
  });
});
