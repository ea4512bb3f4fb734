import { tmpdir } from "node:os";
import { expect } from "chai";
import { buildIfNeeded } from "../../tools/stack/build.ts";
import { cleanEnvironment } from "../../tools/stack/test-runs.ts";
import { runFailure } from "../faults/runner.ts";
import { chosen } from "../faults/table.ts";

const ORDERS = 1_000;
const SEED = 1;
const RUN_TIMEOUT_MS = 180_000;
const quiet = (): void => undefined;

/** The short forms of `npm run test:faults`: nothing lost, doubled, oversold, leaked or wrong. */
describe("orders survive", function () {
  this.timeout(RUN_TIMEOUT_MS);
  const env = { ...cleanEnvironment(process.env), FLASHPAY_CACHE: process.env["FLASHPAY_CACHE"] };

  before(() => buildIfNeeded(env, quiet));

  for (const failure of chosen(["F1", "F2", "F6", "F14", "F16", "F20"])) {
    it(`${failure.id}: ${failure.title}`, async () => {
      const outcome = await runFailure(failure, {
        ...{ orders: ORDERS, brief: true, seed: SEED, folder: tmpdir(), env, report: quiet },
      });
      expect(outcome.misses, JSON.stringify(outcome)).to.deep.equal([]);
      expect(outcome.counts.accepted).to.be.greaterThan(0);
    });
  }
});
