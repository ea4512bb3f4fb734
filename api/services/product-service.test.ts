import { expect } from "chai";
import { DomainError } from "../../shared/domain/errors.ts";
import { createFakeAdministration } from "../../shared/testing/administration.ts";
import { createFakeClock } from "../../shared/testing/clock.ts";
import { createFakeDatabase } from "../../shared/testing/database.ts";
import { createFakeStockEpochs } from "../../shared/testing/fakes.ts";
import { createLogRecorder } from "../../shared/testing/log.ts";
import { sampleProduct } from "../../shared/testing/samples.ts";
import { createFakeStockStore } from "../../shared/testing/stock-store.ts";
import { createProductService } from "./product-service.ts";

const ADMIN = { userId: 3, role: "admin", jti: "j", issuedAt: 0, expiresAt: 0 } as const;

function createScene() {
  const clock = createFakeClock();
  const database = createFakeDatabase(clock.now);
  const stock = createFakeStockStore(clock.now);
  const log = createLogRecorder();
  const epochs = createFakeStockEpochs();
  const { sales } = createFakeAdministration(database, clock.now);
  const service = createProductService({
    ...{ products: database.products, sales, stock, epochs, log },
    now: clock.now,
  });
  return { clock, database, stock, epochs, log, service };
}

describe("a sale", () => {
  it("can be ordered from as soon as it was opened", async () => {
    const { service, stock } = createScene();
    const sale = await service.open(ADMIN, sampleProduct());
    expect(sale).to.include({ stockLeft: 10, state: "open", sold: 0 });
    expect(
      (await stock.reserve({ orderId: "o", userId: 1, productId: sale.id, quantity: 1 })).outcome,
    ).to.equal("reserved");
  });

  it("exists although its counters could not be loaded: the worker will", async () => {
    const { service, stock, log } = createScene();
    stock.faults.fail("load");
    const sale = await service.open(ADMIN, sampleProduct());
    expect((await service.find(sale.id)).stockLeft).to.equal(10);
    expect(log.of("warn")).to.have.lengthOf(1);
  });

  it("shows what is left by the live counters", async () => {
    const { service, stock } = createScene();
    const { id } = await service.open(ADMIN, sampleProduct());
    await stock.reserve({ orderId: "o", userId: 1, productId: id, quantity: 1 });
    expect((await service.find(id)).stockLeft).to.equal(9);
    expect((await service.list({ limit: 5 })).rows[0]?.stockLeft).to.equal(9);
  });

  it("shows what the database knows while Redis is away", async () => {
    const { service, stock, database } = createScene();
    database.tables.products.set(1, sampleProduct({ sold: 4 }));
    stock.faults.fail("counters", new Error("away"));
    expect((await service.find(1)).stockLeft).to.equal(6);
  });

  it("that does not exist is not found", async () => {
    const error: unknown = await createScene()
      .service.find(1)
      .catch((thrown: unknown) => thrown);
    expect(error).to.be.instanceOf(DomainError).with.property("code", "not_found");
  });
});
