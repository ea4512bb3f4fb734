import { randomBytes } from "node:crypto";
import { expect } from "chai";
import { successOf } from "../support/bodies.ts";
import type { HttpClient } from "../support/http-client.ts";
import { openSandbox, type Person, type Sandbox } from "../support/sandbox.ts";
import { SEEDED_PASSWORD } from "../support/seed.ts";

describe("a change of the signing secret", function () {
  this.timeout(120_000);
  let sandbox: Sandbox;
  let person: Person;
  /** Knows the old secret alone. */
  let old: HttpClient;
  /** Two processes that sign with the new one and know the old one, too. */
  let rotated: HttpClient;
  let alsoRotated: HttpClient;
  /** Knows the new one alone. */
  let settled: HttpClient;

  before(async () => {
    sandbox = await openSandbox();
    const secret = randomBytes(48).toString("base64url");
    const both = { JWT_SECRET: secret, JWT_SECRET_PREVIOUS: sandbox.jwtSecret };
    const start = async (name: string, env: NodeJS.ProcessEnv = {}) =>
      sandbox.client(await sandbox.start("api", { name, env }));
    old = await start("api-old");
    rotated = await start("api-rotated", both);
    alsoRotated = await start("api-also-rotated", both);
    settled = await start("api-settled", { JWT_SECRET: secret });
    [person] = (await sandbox.users(1)) as [Person];
  });
  after(() => (sandbox as Sandbox | undefined)?.close());

  const logIn = async (http: HttpClient): Promise<string> => {
    const body = { username: person.username, password: SEEDED_PASSWORD };
    return (successOf(await http.post("/api/users/login", body)).data as { accessToken: string }).accessToken;
  };
  const statusesOf = async (token: string): Promise<number[]> => {
    const statuses = [];
    for (const http of [old, rotated, alsoRotated, settled])
      statuses.push((await http.get("/api/users/me", token)).status);
    return statuses;
  };

  it("logs nobody out: what was signed before is good wherever the previous secret is known", async () => {
    expect(await statusesOf(await logIn(old))).to.deep.equal([200, 200, 200, 401]);
  });

  it("signs with the new secret alone, which only those who have it take", async () => {
    for (const http of [rotated, alsoRotated])
      expect(await statusesOf(await logIn(http))).to.deep.equal([401, 200, 200, 200]);
  });

  it("leaves log-out what it was, across both secrets", async () => {
    const token = await logIn(old);
    expect((await rotated.send("POST", "/api/users/logout", { token })).status).to.equal(204);
    expect((await rotated.get("/api/users/me", token)).status).to.equal(401);
  });
});
