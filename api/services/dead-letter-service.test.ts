import { expect } from "chai";
import { DomainError } from "../../shared/domain/errors.ts";
import { createFakeAdministration } from "../../shared/testing/administration.ts";
import { createFakeClock } from "../../shared/testing/clock.ts";
import { createFakeDatabase } from "../../shared/testing/database.ts";
import { createLogRecorder } from "../../shared/testing/log.ts";
import { orderIdOf, SALE_START, sampleOrder, sampleUser } from "../../shared/testing/samples.ts";
import { createDeadLetterService } from "./dead-letter-service.ts";

const ADMINS_AT_ONCE = 20;
const ADMIN = { userId: 3, role: "admin", jti: "j", issuedAt: 0, expiresAt: 0 } as const;
const LETTER = { key: Buffer.from("key"), value: Buffer.from([0xff, 0x00, 0x7b]) };

function createScene() {
  const clock = createFakeClock();
  const database = createFakeDatabase(clock.now);
  database.tables.users.set(3, sampleUser(3, { role: "admin" }));
  const administration = createFakeAdministration(database, clock.now);
  const log = createLogRecorder();
  const service = createDeadLetterService({
    ...administration,
    orders: database.orderReader,
    log,
    now: clock.now,
  });
  return { ...administration, service, database, clock, lines: log };
}
async function codeOf(work: Promise<unknown>): Promise<string> {
  const error: unknown = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  return error instanceof DomainError ? error.code : "no refusal";
}
const failedOrder = {
  ...sampleOrder(),
  status: "FAILED",
  failReason: "invalid_message",
  decidedAt: SALE_START,
} as const;

describe("replaying a dead letter", () => {
  it("puts its key and its bytes into the log as they came, and closes it", async () => {
    const { service, park, log, rows, clock } = createScene();
    park(17, LETTER);
    const handled = await service.replay(ADMIN, 17);
    expect(log).to.have.lengthOf(1);
    expect(log[0]).to.deep.include(LETTER);
    expect(handled).to.deep.equal({
      id: 17,
      status: "replayed",
      handledAt: clock.now(),
      orderId: null,
      orderStatusBefore: null,
    });
    expect(rows.get(17)).to.include({ status: "replayed", handledAt: clock.now() });
  });

  it("tells how the order stood before, and leaves the order alone", async () => {
    const { service, park, database, entries } = createScene();
    database.tables.orders.set(orderIdOf(1), failedOrder);
    park(17, { ...LETTER, orderId: orderIdOf(1) });
    expect((await service.replay(ADMIN, 17)).orderStatusBefore).to.equal("FAILED");
    expect(database.tables.orders.get(orderIdOf(1))).to.deep.equal(failedOrder);
    expect(entries[0]?.before).to.deep.equal({ status: "parked", handledAt: null, orderStatus: "FAILED" });
  });

  it("is audited: who, when, what, before and after", async () => {
    const { service, park, entries, clock } = createScene();
    park(17, LETTER);
    await service.replay(ADMIN, 17);
    const at = new Date(clock.now()).toISOString();
    expect(entries).to.deep.equal([
      {
        id: 1,
        at: clock.now(),
        admin: { id: 3, username: "user3" },
        action: "dead_letter.replay",
        target: "dead_letter:17",
        outcome: "done",
        reason: null,
        before: { status: "parked", handledAt: null, orderStatus: null },
        after: { status: "replayed", handledAt: at, orderStatus: null },
      },
    ]);
  });

  it(`by ${ADMINS_AT_ONCE} administrators at once acts once; the others hear so, and the trail says so`, async () => {
    const { service, park, log, entries } = createScene();
    park(17, LETTER);
    const codes = await Promise.all(
      Array.from({ length: ADMINS_AT_ONCE }, () => codeOf(service.replay(ADMIN, 17))),
    );
    expect(codes.filter((code) => code === "no refusal")).to.have.lengthOf(1);
    expect(codes.filter((code) => code === "dead_letter_handled")).to.have.lengthOf(ADMINS_AT_ONCE - 1);
    expect(log).to.have.lengthOf(1);
    expect(entries.map(({ outcome }) => outcome)).to.deep.equal([
      "done",
      ...Array.from({ length: ADMINS_AT_ONCE - 1 }, () => "came_second"),
    ]);
  });

  it("that the log does not acknowledge leaves it parked, says so, and may be done again", async () => {
    const { service, park, rows, entries, faults, log, lines } = createScene();
    park(17, LETTER);
    faults.fail("send");
    expect(await codeOf(service.replay(ADMIN, 17))).to.equal("outcome_unknown");
    expect(rows.get(17)).to.include({ status: "parked", handledAt: null });
    expect(entries.map(({ outcome, after }) => [outcome, after["status"]])).to.deep.equal([
      ["failed", "parked"],
    ]);
    expect(lines.of("warn")).to.have.lengthOf(1);
    expect(await codeOf(service.replay(ADMIN, 17))).to.equal("no refusal");
    expect(log).to.have.lengthOf(1);
  });

  it("whose end the database did not take is of unknown outcome, and may be done again", async () => {
    const { service, park, rows, entries, faults, log } = createScene();
    park(17, LETTER);
    faults.fail("commit", new DomainError("not_ready", "away"));
    expect(await codeOf(service.replay(ADMIN, 17))).to.equal("outcome_unknown");
    expect([rows.get(17)?.status, entries.length, log.length]).to.deep.equal(["parked", 0, 1]);
    expect(await codeOf(service.replay(ADMIN, 17))).to.equal("no refusal");
  });

  it("does not happen without its audit entry", async () => {
    const { service, park, rows, faults } = createScene();
    park(17, LETTER);
    faults.fail("record");
    await codeOf(service.replay(ADMIN, 17));
    expect(rows.get(17)?.status).to.equal("parked");
  });

  it("that does not exist is not found, and nothing is audited", async () => {
    const { service, entries } = createScene();
    expect(await codeOf(service.replay(ADMIN, 17))).to.equal("not_found");
    expect(entries).to.deep.equal([]);
  });

  it("is told in the log with the administrator's id", async () => {
    const { service, park, lines } = createScene();
    park(17, LETTER);
    await service.replay(ADMIN, 17, "trace");
    expect(lines.of("info").map(({ fields }) => fields)).to.deep.equal([
      { traceId: "trace", adminId: 3, letterId: 17, action: "dead_letter.replay", orderId: null },
    ]);
  });
});

describe("discarding a dead letter", () => {
  it("closes it, keeps the reason, and puts nothing into the log", async () => {
    const { service, park, rows, entries, log } = createScene();
    park(17, LETTER);
    expect((await service.discard(ADMIN, 17, "a test producer")).status).to.equal("discarded");
    expect(rows.get(17)?.status).to.equal("discarded");
    expect(entries.map(({ action, outcome, reason }) => [action, outcome, reason])).to.deep.equal([
      ["dead_letter.discard", "done", "a test producer"],
    ]);
    expect(log).to.deep.equal([]);
  });

  it("while another administrator replays it: the first wins", async () => {
    const { service, park, rows, entries, log } = createScene();
    park(17, LETTER);
    const codes = await Promise.all([
      codeOf(service.discard(ADMIN, 17, "a test producer")),
      codeOf(service.replay(ADMIN, 17)),
    ]);
    expect(codes).to.deep.equal(["no refusal", "dead_letter_handled"]);
    expect([rows.get(17)?.status, log.length]).to.deep.equal(["discarded", 0]);
    expect(entries.map(({ outcome }) => outcome)).to.deep.equal(["done", "came_second"]);
  });
});

describe("looking at a dead letter", () => {
  it("shows its bytes, its order's status and what was done about it, newest first", async () => {
    const { service, park, database } = createScene();
    database.tables.orders.set(orderIdOf(1), failedOrder);
    park(17, { ...LETTER, orderId: orderIdOf(1) });
    park(18, LETTER);
    await service.discard(ADMIN, 17, "seen before");
    await codeOf(service.replay(ADMIN, 17));
    await service.replay(ADMIN, 18);
    const { letter, orderStatus, audit } = await service.inspect(17);
    expect(letter).to.deep.include({ id: 17, status: "discarded", ...LETTER });
    expect(orderStatus).to.equal("FAILED");
    expect(audit.map(({ action, outcome }) => [action, outcome])).to.deep.equal([
      ["dead_letter.replay", "came_second"],
      ["dead_letter.discard", "done"],
    ]);
  });

  it("that does not exist is not found", async () => {
    expect(await codeOf(createScene().service.inspect(17))).to.equal("not_found");
  });
});
