import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { createTokenIssuer } from "../api/middleware/authenticate.ts";
import { leaksInTitles, secretsOfRun, watchLeaks } from "../tools/stack/leak-watch.ts";
import { leaksBelow, leaksInLogs, leaksInTitle, secretsIn } from "../tools/stack/leaks.ts";
import { openSandbox } from "./support/sandbox.ts";
import { until } from "./support/until.ts";

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

  it("reads every log below a folder, however deep, and leaves the servers' own data alone", () => {
    const below = join(folder, "tmp/spec/log");
    mkdirSync(below, { recursive: true });
    writeFileSync(join(below, "api.log"), SECRETS.JWT_SECRET);
    writeFileSync(join(folder, "tmp/spec/secrets.json"), SECRETS.JWT_SECRET);
    expect(leaksBelow(folder, SECRETS)).to.deep.equal(["tmp/spec/log/api.log holds JWT_SECRET"]);
    rmSync(below, { recursive: true });
    expect(leaksBelow(folder, SECRETS)).to.deep.equal([]);
  });

  it("reads the titles of all processes while they run, and what was printed", async () => {
    const watch = watchLeaks(SECRETS);
    const child = spawn("sleep", ["60"], { argv0: SECRETS.JWT_SECRET });
    await until("its title is there", () => leaksInTitles(SECRETS).length > 0, 5_000);
    const said = join(folder, "said");
    writeFileSync(said, `a ${SECRETS.JWT_SECRET}`);
    expect(watch.end({ said, home: join(folder, "none") })).to.deep.equal([
      "a process title holds JWT_SECRET",
      "the output holds JWT_SECRET",
    ]);
    child.kill();
    await once(child, "exit");
    expect(watchLeaks(SECRETS).end({ said: join(folder, "none"), home: folder })).to.deep.equal([]);
  });

  it("has the secrets of this very run: its servers' passwords and what its sandboxes sign with", async () => {
    const sandbox = await openSandbox();
    await sandbox.close();
    const { env } = process;
    const planted = Object.values(secretsOfRun(env["TEST_HOME"] ?? ""));
    const used = [sandbox.jwtSecret, env["TEST_MYSQL_PASSWORD"], new URL(sandbox.redisUrl).password];
    for (const secret of used) expect(planted.includes(secret ?? "")).to.equal(true);
  });

  it("fails a spec whose sandbox has a leak in its logs", async () => {
    const sandbox = await openSandbox();
    writeFileSync(sandbox.home.log("api"), sandbox.jwtSecret);
    let failure = "";
    await sandbox.close().catch((error: unknown) => (failure = String(error)));
    expect(failure).to.contain("api.log holds JWT_SECRET");
  });
});
