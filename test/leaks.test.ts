import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { createTokenIssuer } from "../api/middleware/authenticate.ts";
import { leaksInLogs, leaksInTitle, secretsIn } from "./support/leaks.ts";
import { openSandbox } from "./support/sandbox.ts";

const SECRETS = { JWT_SECRET: "planted-secret-of-this-test", "nothing at all": "" };

describe("the search for leaked secrets", () => {
  const folder = mkdtempSync(join(tmpdir(), "flashpay-leaks-"));
  after(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  const logged = (text: string): string[] => {
    writeFileSync(join(folder, "api.log"), text);
    return leaksInLogs(folder, SECRETS);
  };

  it("names a planted secret wherever it stands in a log", () => {
    expect(logged(`{"msg":"x","url":"?a=${SECRETS.JWT_SECRET}"}`)).to.deep.equal([
      "api.log holds JWT_SECRET",
    ]);
    expect(logged(`{"msg":"fine"}`)).to.deep.equal([]);
    expect(leaksInLogs(join(folder, "none"), SECRETS)).to.deep.equal([]);
  });

  it("knows a password's hash and an access token that nobody planted", () => {
    const { accessToken } = createTokenIssuer("x".repeat(40), 60).issue({ id: 1, role: "user", jti: "j" });
    expect(logged(accessToken)).to.deep.equal(["api.log holds an access token"]);
    expect(logged(`$2b$10$${"a".repeat(53)}`)).to.deep.equal(["api.log holds a password's hash"]);
  });

  it("reads answers and process titles", () => {
    expect(secretsIn(`a ${SECRETS.JWT_SECRET} b`, SECRETS)).to.deep.equal(["JWT_SECRET"]);
    expect(leaksInTitle(process.pid, { runner: "run-mocha" })).to.deep.equal([
      "a process title holds runner",
    ]);
    expect(leaksInTitle(undefined, SECRETS)).to.deep.equal([]);
  });

  it("fails a spec whose sandbox has a leak in its logs", async () => {
    const sandbox = await openSandbox();
    writeFileSync(sandbox.home.log("api"), sandbox.jwtSecret);
    let failure = "";
    await sandbox.close().catch((error: unknown) => (failure = String(error)));
    expect(failure).to.contain("api.log holds JWT_SECRET");
  });
});
