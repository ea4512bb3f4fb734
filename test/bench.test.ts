import { expect } from "chai";
import type { Results } from "../tools/bench/results.ts";
import { runScript } from "./support/program-run.ts";

/** It starts servers of its own, and compiles when the sources have changed. */
const DEADLINE_MS = 900_000;

describe("npm run bench", function () {
  this.timeout(DEADLINE_MS);

  it("settles on every target what was accepted there, and leaves every rule of verify whole", async () => {
    const flags = ["--quick", "--json"];
    const { code, stdout, stderr } = await runScript("tools/bench.ts", flags, process.env, DEADLINE_MS);
    expect(code, stderr).to.equal(0);
    const { cases } = JSON.parse(stdout) as Results;
    expect(cases.map(({ name }) => name)).to.deep.equal([
      ...["saturation-16", "open-50", "storm", "products", "drain", "reads", "pairs"],
      ...["logins", "slow", "script"],
    ]);
    for (const { name, targets } of cases) {
      for (const { target, median } of targets.filter((one) => one.median["accepted"] !== undefined)) {
        const { accepted, settled, failed } = median;
        expect(accepted, `${name}, ${target}`).to.be.greaterThan(0);
        expect({ settled, failed }, `${name}, ${target}`).to.deep.equal({ settled: accepted, failed: 0 });
      }
      const ours = targets.find(({ target }) => target === "flashpay");
      expect(ours?.median["verify_broken"], name).to.equal(0);
    }
  });
});
