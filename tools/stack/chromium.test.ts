import { expect } from "chai";
import { chromiumOrSkip, provideChromium } from "./chromium.ts";
import { StackFailure } from "./failure.ts";

const none = () => undefined;

describe("without a browser", () => {
  it("the tests of the pages are skipped on a person's machine, and fail where CI is set", () => {
    expect(chromiumOrSkip({}, none)).to.equal(undefined);
    expect(chromiumOrSkip({ CI: "false" }, none)).to.equal(undefined);
    for (const ci of ["true", "1"])
      expect(() => chromiumOrSkip({ CI: ci, PATH: "" }, none)).to.throw(StackFailure, "CI must not skip");
    expect(chromiumOrSkip({ CI: "true" }, () => "/opt/chromium")).to.equal("/opt/chromium");
  });

  const told = async (env: NodeJS.ProcessEnv, result: { ok: boolean; output: string } | undefined) => {
    const lines: string[] = [];
    const report = (line: string): void => void lines.push(line);
    await provideChromium(env, report, { find: none, install: async () => result });
    return lines.join("\n");
  };

  it("what apt-get said is told when it could not install one", async () => {
    const output = "Reading package lists...\nE: Unable to locate package chromium\n";
    const text = await told({}, { ok: false, output });
    expect(text).to.contain("E: Unable to locate package chromium").and.contain("are skipped");
  });

  it("it is told that the tests fail, not that they are skipped, where CI is set", async () => {
    const text = await told({ CI: "true" }, undefined);
    expect(text).to.contain("fail").and.not.contain("skipped");
  });
});
