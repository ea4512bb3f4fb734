import { expect } from "chai";
import type { CheckResult } from "../../shared/domain/consistency.ts";
import { DomainError } from "../../shared/domain/errors.ts";
import { createFakeClock } from "../../shared/testing/clock.ts";
import { createFakeDatabase } from "../../shared/testing/database.ts";
import { sampleProduct } from "../../shared/testing/samples.ts";
import { createConsistencyService } from "./consistency-service.ts";

const HELD: CheckResult = {
  ...{ invariant: "I2", rule: "sold", state: "ok", rows: [], offenders: 0, checked: 1, ms: 0 },
};

function createService(gate: Promise<void>) {
  const clock = createFakeClock();
  const { products, tables } = createFakeDatabase(clock.now);
  tables.products.set(1, sampleProduct());
  return createConsistencyService({
    consistency: {
      async *check() {
        await gate;
        yield HELD;
      },
      underWay: async () => ({ orders: 0, reservations: 0, notLoaded: 0 }),
    },
    products,
    now: clock.now,
  });
}

const codeOf = (running: Promise<unknown>) =>
  running.then(
    () => "none",
    (error: unknown) => (error instanceof DomainError ? error.code : "another"),
  );

describe("checking on demand", () => {
  it("runs once at a time, and again when that is over, however it ended", async () => {
    let open: (() => void) | undefined;
    const service = createService(new Promise((resolve) => (open = resolve)));
    const first = service.run(1);
    expect(await codeOf(service.run(1))).to.equal("not_ready");
    open?.();
    expect((await first).checks).to.deep.equal([HELD]);
    expect(await codeOf(service.run(404))).to.equal("not_found");
    expect((await service.run()).checks).to.deep.equal([HELD]);
  });
});
