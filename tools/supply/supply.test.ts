import { expect } from "chai";
import { readAudit } from "./audit.ts";
import { problemsOf, type LockedPackage, type LockFile } from "./lock-file.ts";

const SEAL = `sha512-${"A".repeat(86)}==`;
const GOOD: LockedPackage = { version: "1.2.3", integrity: SEAL, license: "MIT" };
const lockOf = (locked: object, name = "a"): LockFile => ({
  lockfileVersion: 3,
  packages: { "": {}, [`node_modules/${name}`]: { ...GOOD, ...locked } },
});
const problem = (locked: object, name = "a") => problemsOf(lockOf(locked, name), {});

describe("what would be installed", () => {
  it("is good as one version, sealed, under a licence of the list", () => {
    expect(problemsOf(lockOf({}), { dependencies: { a: "1.2.3" } })).to.deep.equal([]);
  });

  for (const range of ["^1.2.3", "~1.2.3", "*", "latest", ">=1", "git+ssh://x/y", "file:../a"])
    it(`is not ${range}`, () => {
      const [sentence] = problemsOf(lockOf({}), { dependencies: { a: range } });
      expect(sentence).to.contain("not one version");
    });

  it("is what package.json asks for", () => {
    expect(problemsOf(lockOf({}), { devDependencies: { a: "1.2.4" } })[0]).to.contain("locked at 1.2.3");
    expect(problemsOf(lockOf({}), { dependencies: { b: "1.0.0" } })[0]).to.contain("locked at nothing");
  });

  it("has the hash of its content, and no address", () => {
    expect(problem({ integrity: undefined })[0]).to.contain("no SHA-512");
    expect(problem({ integrity: "sha1-AAAA" })[0]).to.contain("no SHA-512");
    expect(problem({ resolved: "https://elsewhere.example/a.tgz" })[0]).to.contain("bound to an address");
  });

  it("needs no script of its own at installation", () => {
    expect(problem({ hasInstallScript: true })[0]).to.contain("install script");
    expect(problem({ hasInstallScript: true, dev: true }, "esbuild")).to.deep.equal([]);
  });

  it("has a licence of the list; tools have a longer one", () => {
    expect(problem({ license: "GPL-3.0" })[0]).to.contain("GPL-3.0");
    expect(problem({ license: undefined })[0]).to.contain("none");
    expect(problem({ license: "WTFPL" })[0]).to.contain("production");
    expect(problem({ license: "WTFPL", dev: true })).to.deep.equal([]);
    expect(problem({ license: "AGPL-3.0", dev: true }, "pm2")).to.deep.equal([]);
    expect(problem({ license: "AGPL-3.0" }, "pm2")).to.have.length(1);
    expect(problem({ license: "AGPL-3.0", dev: true }, "b")).to.have.length(1);
  });
});

describe("what npm audit says", () => {
  it("is counted by severity", () => {
    const vulnerabilities = { critical: 1, high: 2, moderate: 3, low: 4, total: 10 };
    const output = `npm warn x\n${JSON.stringify({ metadata: { vulnerabilities } })}\n`;
    expect(readAudit(output)).to.deep.equal({ kind: "asked", high: 3, lower: 7 });
  });

  it("is nothing where nobody answers, and the reason names no address", () => {
    const output = JSON.stringify({ message: "405 Method Not Allowed - POST https://registry.example/x" });
    expect(readAudit(output)).to.deep.equal({ kind: "not asked", why: "405 Method Not Allowed" });
    for (const silent of ["", "{", "no JSON", "{}"])
      expect(readAudit(silent), silent).to.deep.equal({ kind: "not asked", why: "npm audit gave no report" });
  });
});
