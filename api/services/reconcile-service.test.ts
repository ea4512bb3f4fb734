import { expect } from "chai";
import { DomainError } from "../../shared/domain/errors.ts";
import { createFakeAdministration } from "../../shared/testing/administration.ts";
import { createFakeClock } from "../../shared/testing/clock.ts";
import { createFakeDatabase } from "../../shared/testing/database.ts";
import { createLogRecorder } from "../../shared/testing/log.ts";
import { sampleProduct, sampleUser } from "../../shared/testing/samples.ts";
import { createFakeStockStore } from "../../shared/testing/stock-store.ts";
import { createReconcileService } from "./reconcile-service.ts";

const ADMIN = { userId: 3, role: "admin", jti: "j", issuedAt: 0, expiresAt: 0 } as const;
const STOCK = 10;

async function createScene(sold = 0) {
  const clock = createFakeClock();
  const database = createFakeDatabase(clock.now);
  const stock = createFakeStockStore(clock.now);
  database.tables.users.set(ADMIN.userId, sampleUser(ADMIN.userId));
  const product = sampleProduct({ stock: STOCK });
  await stock.load({ product, bought: database.store.boughtByProduct(1), epoch: 1 });
  database.tables.products.set(1, { ...product, sold });
  const { audit } = createFakeAdministration(database, clock.now);
  const log = createLogRecorder();
  const service = createReconcileService({ stock, ledger: database.store, audit, log });
  const noted = async () => (await audit.list({}, { limit: 10 })).rows;
  return { service, stock, database, product, noted };
}

const codeOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => "done",
    (error: unknown) => (error instanceof DomainError ? error.code : error),
  );

describe("reconciling a product", () => {
  it("gives missing units back, and notes who did it and how the counters stood", async () => {
    const { service, database, product, noted } = await createScene();
    database.tables.products.set(1, { ...product, stock: STOCK + 2 });
    const result = await service.reconcile(ADMIN, 1);
    expect(result).to.include({ state: "consistent", unitsGivenBack: 2 });
    expect([result.before, result.after]).to.deep.equal([
      { left: 10, held: 0 },
      { left: 12, held: 0 },
    ]);
    const [entry] = await noted();
    expect(entry).to.deep.include({
      ...{ action: "product.reconcile", target: "product:1", outcome: "done" },
      before: { left: 10, held: 0 },
      after: { left: 12, held: 0, state: "consistent", ended: 0, unitsGivenBack: 2 },
    });
    expect(entry?.admin.id).to.equal(ADMIN.userId);
  });

  it("shuts a sale whose orders Redis has forgotten", async () => {
    const { service, stock } = await createScene(1);
    expect(await service.reconcile(ADMIN, 1)).to.include({ state: "shut", after: null });
    expect(stock.leftOf(1)).to.equal(undefined);
  });

  it("changes nothing of counters that are right, at any number of calls", async () => {
    const { service, stock, noted } = await createScene();
    for (let call = 0; call < 2; call += 1)
      expect(await service.reconcile(ADMIN, 1)).to.include({ state: "consistent", unitsGivenBack: 0 });
    expect(stock.leftOf(1)).to.equal(STOCK);
    expect(await noted()).to.have.length(2);
  });

  it("of one that does not exist is not found; without Redis it is not ready", async () => {
    const { service, stock } = await createScene();
    expect(await codeOf(service.reconcile(ADMIN, 99))).to.equal("not_found");
    stock.faults.fail("counters", new Error("away"));
    expect(await codeOf(service.reconcile(ADMIN, 1))).to.equal("not_ready");
  });
});
