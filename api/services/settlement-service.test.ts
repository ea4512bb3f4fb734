import { expect } from "chai";
import { DomainError } from "../../shared/domain/errors.ts";
import type { ReportWish } from "../../shared/domain/report.ts";
import { createFakeClock } from "../../shared/testing/clock.ts";
import { createFakeDatabase } from "../../shared/testing/database.ts";
import {
  orderIdOf,
  SALE_START,
  sampleOrder,
  sampleProduct,
  sampleUser,
} from "../../shared/testing/samples.ts";
import { createSettlementService } from "./settlement-service.ts";

const user = (userId: number) => ({ userId, role: "user", jti: "j", issuedAt: 0, expiresAt: 0 }) as const;
const admin = { userId: 3, role: "admin", jti: "j", issuedAt: 0, expiresAt: 0 } as const;

async function createScene() {
  const database = createFakeDatabase(createFakeClock().now);
  for (const id of [1, 2]) database.tables.users.set(id, sampleUser(id));
  database.tables.products.set(1, sampleProduct());
  await database.store.transaction((writer) =>
    writer.write(
      [1, 2, 1].map((userId, i) => ({
        outcome: "SUCCESS",
        order: sampleOrder({ orderId: orderIdOf(i + 1), userId }),
        amount: 99_000,
      })),
      SALE_START,
    ),
  );
  return createSettlementService(database.settlementReader, "UTC");
}
async function codeOf(work: Promise<unknown>): Promise<string> {
  const error: unknown = await work.catch((thrown: unknown) => thrown);
  return error instanceof DomainError ? error.code : "no refusal";
}

describe("settlements", () => {
  it("are the own ones for a user and all for an administrator, newest first", async () => {
    const settlements = await createScene();
    const ids = async (principal: Parameters<typeof settlements.list>[0]) =>
      (await settlements.list(principal, {}, { limit: 9 })).rows.map(({ id }) => id);
    expect(await ids(user(1))).to.deep.equal([3, 1]);
    expect(await ids(admin)).to.deep.equal([3, 2, 1]);
    expect((await settlements.latest(user(2))).id).to.equal(2);
  });

  it("of another user are not there for a user, and are for an administrator", async () => {
    const settlements = await createScene();
    expect(await codeOf(settlements.listOfUser(user(1), { userId: 2 }, { limit: 9 }))).to.equal("not_found");
    expect(await codeOf(settlements.latestOfUser(user(1), 2))).to.equal("not_found");
    expect(await codeOf(settlements.totalOfUser(user(1), 2))).to.equal("not_found");
    expect(await settlements.totalOfUser(admin, 2)).to.deep.equal([
      { currency: "KRW", count: 1, amount: 99_000 },
    ]);
  });

  it("have totals that are the sums of what can be listed", async () => {
    const settlements = await createScene();
    expect(await settlements.totalOfUser(user(1), 1)).to.deep.equal([
      { currency: "KRW", count: 2, amount: 198_000 },
    ]);
    expect(await settlements.totalOfProduct(1)).to.deep.equal([
      { currency: "KRW", count: 3, amount: 297_000 },
    ]);
  });

  it("have totals of the own ones for a user, and of all for an administrator", async () => {
    const settlements = await createScene();
    const totals = await Promise.all([user(1), user(9), admin].map((one) => settlements.total(one)));
    expect(totals).to.deep.equal([
      [{ currency: "KRW", count: 2, amount: 198_000 }],
      [],
      [{ currency: "KRW", count: 3, amount: 297_000 }],
    ]);
  });

  it("lie in the period that is asked for, whose days are those of the reports' time zone", async () => {
    const settlements = await createScene();
    const found = async (wish: ReportWish) => (await settlements.list(admin, wish, { limit: 9 })).rows.length;
    expect(await found({ from: SALE_START, to: SALE_START + 1 })).to.equal(3);
    expect(await found({ to: SALE_START })).to.equal(0);
    expect(await found({ from: "2027-01-01", to: "2027-01-02" })).to.equal(3);
    expect(await found({ from: "2027-01-02" })).to.equal(0);
    expect(await found({ userId: 2, productId: 1 })).to.equal(1);
    expect(await codeOf(found({ from: 2, to: 2 }))).to.equal("validation_failed");
  });

  it("of another user are refused to a user who filters for them", async () => {
    const settlements = await createScene();
    const page = { limit: 9 };
    expect((await settlements.list(user(1), { userId: 1 }, page)).rows).to.have.length(2);
    expect(await codeOf(settlements.list(user(1), { userId: 2 }, page))).to.equal("validation_failed");
  });

  it("that are none yet have no newest", async () => {
    const settlements = await createScene();
    expect(await codeOf(settlements.latestOfProduct(9))).to.equal("not_found");
  });
});
