import { createHash } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { expect } from "chai";
import { DomainError } from "../../shared/domain/errors.ts";
import { createFakeAdministration } from "../../shared/testing/administration.ts";
import { createFakeClock } from "../../shared/testing/clock.ts";
import { createFakeDatabase } from "../../shared/testing/database.ts";
import { createLogRecorder } from "../../shared/testing/log.ts";
import {
  orderIdOf,
  SALE_START,
  sampleOrder,
  sampleProduct,
  sampleUser,
} from "../../shared/testing/samples.ts";
import { createReportService, REPORTS_AT_ONCE_MAX } from "./report-service.ts";

const admin = { userId: 3, role: "admin", jti: "j", issuedAt: 0, expiresAt: 0 } as const;
const never = new AbortController().signal;
const SETTLEMENTS = 5;
const SLOW_READER_MS = 100;

async function createScene({ timeMaxMs = 60_000 } = {}) {
  const database = createFakeDatabase(createFakeClock().now);
  const { tables, settlementSnapshots: snapshots } = database;
  for (const id of [1, 2, 3]) tables.users.set(id, sampleUser(id));
  tables.products.set(1, sampleProduct({ title: "=1+1" }));
  const settle = (n: number) =>
    database.store.transaction((writer) =>
      writer.write(
        [
          {
            outcome: "SUCCESS",
            order: sampleOrder({ orderId: orderIdOf(n), userId: 1 + (n % 2) }),
            amount: n,
          },
        ],
        SALE_START + n,
      ),
    );
  for (let n = 1; n <= SETTLEMENTS; n += 1) await settle(n);
  const { audit, entries, faults } = createFakeAdministration(database, () => SALE_START);
  let id = 0;
  const log = createLogRecorder();
  /** How long the reads had taken that were rested after. */
  const rests: number[] = [];
  const reports = createReportService({
    ...{ snapshots, audit, log, now: () => SALE_START, timeZone: "Asia/Seoul", timeMaxMs },
    newId: () => orderIdOf((id += 1)),
    rest: (tookMs) => Promise.resolve(rests.push(tookMs)),
  });
  return { reports, rests, tables, snapshots, entries, faults, log, settle };
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  const error: unknown = await work.then(
    () => "no refusal",
    (thrown: unknown) => thrown,
  );
  return error instanceof DomainError ? error.code : String(error);
}

async function read(pieces: AsyncIterable<Buffer>): Promise<Buffer> {
  const all: Buffer[] = [];
  for await (const piece of pieces) all.push(piece);
  return Buffer.concat(all);
}

describe("an export of settlements", () => {
  it("has a control sheet with its rows, its sums and its hash, and is audited", async () => {
    const { reports, entries, snapshots } = await createScene();
    const { exportId, pieces } = reports.exportCsv(admin, {}, never);
    const file = await read(pieces);
    expect(file.toString().trimEnd().split("\r\n")).to.have.length(1 + SETTLEMENTS);
    expect(await reports.control(exportId)).to.deep.equal({
      ...{ exportId, takenAt: SALE_START, filter: {}, count: 5, firstId: 1, lastId: 5 },
      ...{ totals: [{ currency: "KRW", count: 5, amount: 15 }], bytes: file.length },
      sha256: createHash("sha256").update(file).digest("hex"),
    });
    expect(entries.map(({ action, outcome, target }) => [action, outcome, target])).to.deep.equal([
      ["settlements.export", "done", `export:${exportId}`],
    ]);
    expect(snapshots.isOpen()).to.equal(0);
  });

  it("rests after each read, as long as whoever waits is to wait for, a slow reader left out", async () => {
    const { reports, rests } = await createScene();
    for await (const piece of reports.exportCsv(admin, {}, never).pieces) {
      expect(piece.length).to.be.above(0);
      await delay(SLOW_READER_MS);
    }
    expect(rests).to.have.length(Math.ceil(SETTLEMENTS / 2));
    expect(Math.max(...rests)).to.be.below(SLOW_READER_MS);
  });

  it("holds what the filter lets through, also nothing", async () => {
    const { reports } = await createScene();
    const sheetOf = async (wish: Parameters<typeof reports.exportCsv>[1]) => {
      const { exportId, pieces } = reports.exportCsv(admin, wish, never);
      await read(pieces);
      return await reports.control(exportId);
    };
    expect((await sheetOf({ userId: 2 })).totals).to.deep.equal([{ currency: "KRW", count: 3, amount: 9 }]);
    expect(
      await sheetOf({ userId: 2, productId: 1, from: SALE_START + 2, to: SALE_START + 5 }),
    ).to.deep.include({
      ...{ count: 1, firstId: 3, lastId: 3 },
      filter: { userId: 2, productId: 1, from: SALE_START + 2, to: SALE_START + 5 },
    });
    expect(await sheetOf({ productId: 9 })).to.deep.include({ count: 0, firstId: null, totals: [] });
  });

  it("does not see what is settled while it goes on", async () => {
    const { reports, settle, snapshots } = await createScene();
    const late: Promise<void>[] = [];
    snapshots.hooks.beforeRead = () => void late.push(settle(6 + late.length));
    const { exportId, pieces } = reports.exportCsv(admin, {}, never);
    await read(pieces);
    await Promise.all(late);
    expect(late).to.have.length(2);
    expect((await reports.control(exportId)).count).to.equal(SETTLEMENTS);
  });

  it("is not given out as whole when the running totals, or its own rows, say something else", async () => {
    for (const spoil of ["totals", "rows"] as const) {
      const { reports, tables, snapshots, entries, log } = await createScene();
      if (spoil === "totals") tables.totals.set("product:1:KRW", { currency: "KRW", count: 5, amount: 16 });
      else snapshots.rowsLost.add(3);
      const { exportId, pieces } = reports.exportCsv(admin, {}, never);
      expect(await codeOf(read(pieces))).to.match(/NotReconciled/);
      expect(await codeOf(reports.control(exportId))).to.equal("not_found");
      expect(entries).to.have.length(1);
      expect(entries[0]).to.include({ outcome: "failed" });
      expect(log.of("error")).to.have.length(1);
      expect(snapshots.isOpen()).to.equal(0);
    }
  });

  it("that its reader leaves gives everything back, and is audited as failed", async () => {
    const { reports, entries, snapshots } = await createScene();
    const gone = new AbortController();
    const { exportId, pieces } = reports.exportCsv(admin, {}, gone.signal);
    await pieces.next();
    expect(snapshots.isOpen()).to.equal(1);
    gone.abort();
    await pieces.return();
    expect(snapshots.isOpen()).to.equal(0);
    expect(entries).to.have.length(1);
    expect(entries[0]).to.include({ outcome: "failed", reason: "the client went away" });
    expect(await codeOf(reports.control(exportId))).to.equal("not_found");
  });

  it("ends when it takes too long", async () => {
    const { reports, entries, snapshots } = await createScene({ timeMaxMs: 0 });
    const { pieces } = reports.exportCsv(admin, {}, never);
    const slow = async () => {
      for await (const _ of pieces) await new Promise((resolve) => setTimeout(resolve, 2));
    };
    expect(await codeOf(slow())).to.equal("not_ready");
    expect(entries[0]).to.include({ outcome: "failed", reason: "it took too long" });
    expect(snapshots.isOpen()).to.equal(0);
  });

  it("that cannot be audited is not whole", async () => {
    const { reports, faults, snapshots } = await createScene();
    faults.fail("record", new DomainError("not_ready", "away"));
    const { pieces } = reports.exportCsv(admin, {}, never);
    expect(await codeOf(read(pieces))).to.equal("not_ready");
    expect(snapshots.isOpen()).to.equal(0);
  });

  it(`has at most ${REPORTS_AT_ONCE_MAX - 1} beside it, and its place is free again when it ends`, async () => {
    const { reports } = await createScene();
    const open = Array.from({ length: REPORTS_AT_ONCE_MAX }, () => reports.exportCsv(admin, {}, never));
    for (const { pieces } of open) await pieces.next();
    expect(await codeOf(read(reports.exportCsv(admin, {}, never).pieces))).to.equal("not_ready");
    expect(await codeOf(reports.daily({}, never))).to.equal("not_ready");
    await open[0]?.pieces.return();
    expect(await codeOf(read(reports.exportCsv(admin, {}, never).pieces))).to.equal("no refusal");
    for (const { pieces } of open) await pieces.return();
  });
});

describe("a daily summary", () => {
  it("adds up by the days of the reports' time zone", async () => {
    const { reports, tables } = await createScene();
    const midnight = Date.parse("2027-01-01T15:00:00Z"); // in Seoul
    for (const [id, settledAt] of [
      [6, midnight - 1],
      [7, midnight],
    ] as const)
      tables.settlements.set(orderIdOf(id), {
        ...{ id, orderId: orderIdOf(id), userId: 1, productId: 1, type: "charge" },
        ...{ amount: 100, currency: "KRW", settledAt },
      });
    const { timeZone, days } = await reports.daily({ from: "2027-01-01", to: "2027-01-03" }, never);
    expect(timeZone).to.equal("Asia/Seoul");
    const row = { productId: 1, title: "=1+1", currency: "KRW" };
    expect(days).to.deep.equal([
      { ...row, day: "2027-01-01", count: 6, amount: 115 },
      { ...row, day: "2027-01-02", count: 1, amount: 100 },
    ]);
  });
});
