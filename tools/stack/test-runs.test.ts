import { expect } from "chai";
import { cleanEnvironment, needsServers, sum, toCounts } from "./test-runs.ts";

describe("counting tests", () => {
  it("takes a run that crashed for one failure", () => {
    expect(toCounts(undefined, false)).to.deep.equal({ passed: 0, failed: 1 });
    expect(toCounts(undefined, true)).to.deep.equal({ passed: 0, failed: 1 });
  });

  it("does not believe a count without failures when the process failed", () => {
    expect(toCounts({ passed: 5, failed: 0 }, false)).to.deep.equal({ passed: 5, failed: 1 });
    expect(toCounts({ passed: 5, failed: 2 }, false)).to.deep.equal({ passed: 5, failed: 2 });
  });

  it("adds up over runs", () => {
    const runs = [
      { passed: 1, failed: 0 },
      { passed: 41, failed: 3 },
    ];
    expect(sum(runs)).to.deep.equal({ passed: 42, failed: 3 });
  });
});

describe("a test run", () => {
  it("keeps the settings of a person's shell away from the tests", () => {
    const env = {
      PATH: "/bin",
      MYSQL_HOST: "elsewhere",
      JWT_SECRET: "x",
      PORT: "1",
      FLASHPAY_HOME: "/x",
      CI: "true",
    };
    expect(cleanEnvironment(env)).to.deep.equal({ PATH: "/bin", CI: "true" });
  });

  it("starts servers for the specs in test/ only", () => {
    expect(needsServers("test/launcher.test.ts")).to.equal(true);
    expect(needsServers("./test/launcher.test.ts")).to.equal(true);
    expect(needsServers("tools/stack/ports.test.ts")).to.equal(false);
  });
});
