import { expect } from "chai";
import { DomainError } from "../../shared/domain/errors.ts";
import type { OrderView } from "../../shared/domain/settlement.ts";
import { createFakeClock } from "../../shared/testing/clock.ts";
import { createFakeRevocations } from "../../shared/testing/fakes.ts";
import { createLogRecorder } from "../../shared/testing/log.ts";
import { orderIdOf, SALE_START, sampleOrder } from "../../shared/testing/samples.ts";
import { createOrderStreams } from "./order-streams.ts";

const TOKEN_S = 60;

function createScene({ max = 10, maxPerUser = 3 } = {}) {
  const clock = createFakeClock();
  const revocations = createFakeRevocations();
  const rows = new Map<string, OrderView>();
  const asked: (readonly string[])[] = [];
  let held: Promise<unknown> | undefined;
  const database = {
    away: false,
    /** It answers what it sees now when that is called. */
    hold(): () => void {
      let answer = (): void => undefined;
      held = new Promise<void>((resolve) => (answer = resolve)).then(() => (held = undefined));
      return answer;
    },
  };
  const streams = createOrderStreams({
    orders: {
      findDecided: async (ids) => {
        asked.push(ids);
        if (database.away) throw new Error("the database is away");
        const seen = ids.flatMap((id) => rows.get(id) ?? []);
        await held;
        return seen;
      },
    },
    ...{ revocations, log: createLogRecorder(), now: clock.now, max, maxPerUser },
  });
  const decide = (n: number): OrderView => {
    const { v: _v, ...facts } = sampleOrder({ orderId: orderIdOf(n) });
    const view: OrderView = { ...facts, status: "SUCCESS", decidedAt: SALE_START };
    rows.set(view.orderId, view);
    return view;
  };
  /** User `userId` follows order n; what it hears is noted. */
  const follow = (n: number, userId = n) => {
    const heard: string[] = [];
    const unfollow = streams.follow(orderIdOf(n), {
      principal: {
        userId,
        role: "user",
        jti: `jti-${userId}`,
        issuedAt: clock.now(),
        expiresAt: Math.floor(clock.now() / 1_000) + TOKEN_S,
      },
      decided: ({ status }) => void heard.push(status),
      beat: () => void heard.push("beat"),
      end: () => void heard.push("end"),
    });
    return { heard, unfollow };
  };
  return { clock, revocations, streams, asked, database, decide, follow };
}

const codeOf = (act: () => unknown): string => {
  try {
    act();
    return "nothing";
  } catch (error) {
    return error instanceof DomainError ? error.code : String(error);
  }
};
const settled = () => new Promise((resolve) => setImmediate(resolve));

describe("who follows an order", () => {
  it("hears of its decision once, from the database, and follows no more", async () => {
    const { streams, decide, follow } = createScene();
    const { heard } = follow(1);
    decide(1);
    streams.decided([orderIdOf(1)]);
    await settled();
    streams.decided([orderIdOf(1)]);
    await streams.look();
    expect(heard).to.deep.equal(["SUCCESS"]);
    expect(streams.size()).to.equal(0);
  });

  it("hears of it when no message came", async () => {
    const { streams, clock, decide, follow } = createScene();
    const { heard } = follow(1);
    await streams.look();
    clock.advance(1_500);
    decide(1);
    await streams.look();
    expect(heard.filter((what) => what !== "beat")).to.deep.equal(["SUCCESS"]);
  });

  it("hears nothing from a message that is ahead of the database, and hears it later", async () => {
    const { streams, decide, follow } = createScene();
    const { heard } = follow(1);
    streams.decided([orderIdOf(1)]);
    await settled();
    expect(heard).to.deep.equal([]);
    decide(1);
    streams.decided([orderIdOf(1)]);
    await settled();
    expect(heard).to.deep.equal(["SUCCESS"]);
  });

  it("is told after an outage of the database", async () => {
    const { streams, database, decide, follow } = createScene();
    const { heard } = follow(1);
    decide(1);
    database.away = true;
    await streams.look();
    database.away = false;
    await streams.look();
    expect(heard.filter((what) => what !== "beat")).to.deep.equal(["SUCCESS"]);
  });

  it("is one of several, and all of them hear it", async () => {
    const { streams, decide, follow } = createScene();
    const [own, admin] = [follow(1, 1), follow(1, 2)];
    decide(1);
    streams.decided([orderIdOf(1)]);
    await settled();
    expect([own.heard, admin.heard]).to.deep.equal([["SUCCESS"], ["SUCCESS"]]);
  });

  it("costs the database nothing for orders that nobody follows", async () => {
    const { streams, asked, follow } = createScene();
    follow(1);
    streams.decided([orderIdOf(2), orderIdOf(3)]);
    await settled();
    expect(asked).to.deep.equal([]);
  });

  it("who went away hears nothing, and leaving twice is leaving once", async () => {
    const { streams, decide, follow } = createScene({ maxPerUser: 1 });
    const { heard, unfollow } = follow(1);
    unfollow();
    unfollow();
    expect(streams.size()).to.equal(0);
    decide(1);
    await streams.look();
    expect(heard).to.deep.equal([]);
    follow(1);
    expect(codeOf(() => follow(2, 1))).to.equal("too_many_requests");
  });

  it("is given a sign of life once in 15 looks, a second apart, and not all in the same", async () => {
    const { streams, follow } = createScene({ max: 45, maxPerUser: 45 });
    await streams.look();
    const all = Array.from({ length: 45 }, (_, n) => follow(n + 1));
    const beats = () => all.reduce((sum, { heard }) => sum + heard.length, 0);
    for (let looks = 1; looks <= 15; looks += 1) {
      await streams.look();
      expect(beats()).to.equal(3 * looks);
    }
    expect(all.every(({ heard }) => heard.join() === "beat")).to.equal(true);
  });

  it("is looked up with hundreds of others in one statement, and a slow database is asked several at once", async () => {
    const { streams, asked, database, decide, follow } = createScene({ max: 5_000, maxPerUser: 5_000 });
    const all = Array.from({ length: 5_000 }, (_, n) => follow(n + 1, 1));
    for (let n = 1; n <= 5_000; n += 1) decide(n);
    const answer = database.hold();
    const looking = streams.look();
    expect(asked.map(({ length }) => length)).to.deep.equal([900, 900, 900, 900]);
    // Seconds pass: nothing piles up.
    void streams.look();
    void streams.look();
    expect(asked).to.have.length(4);
    answer();
    await looking;
    expect(all.every(({ heard }) => heard.includes("SUCCESS"))).to.equal(true);
    expect(new Set(asked.flat())).to.have.property("size", 5_000);
  });

  it("is looked up again when its message comes while it is being looked up", async () => {
    const { streams, database, decide, follow } = createScene();
    const { heard } = follow(1);
    const answer = database.hold();
    const looking = streams.look();
    decide(1);
    streams.decided([orderIdOf(1)]);
    answer();
    await looking;
    await settled();
    expect(heard.filter((what) => what !== "beat")).to.deep.equal(["SUCCESS"]);
  });

  it("is let go when the token is over, and when it is revoked", async () => {
    const { streams, clock, revocations, follow } = createScene();
    const [expired, revoked] = [follow(1), follow(2)];
    await revocations.revoke("jti-2", 0);
    await streams.look();
    expect(revoked.heard).to.include("end");
    expect(expired.heard).not.to.include("end");
    clock.advance((TOKEN_S + 1) * 1_000);
    await streams.look();
    expect(expired.heard).to.include("end");
    expect(streams.size()).to.equal(0);
  });

  it("is one of so many of a user, and of so many in all", () => {
    const { follow } = createScene({ max: 4, maxPerUser: 3 });
    for (const n of [1, 2, 3]) follow(n, 1);
    expect(codeOf(() => follow(4, 1))).to.equal("too_many_requests");
    follow(4, 2);
    expect(codeOf(() => follow(5, 3))).to.equal("not_ready");
  });

  it("is let go at a stop, after which nobody can begin", async () => {
    const { streams, follow } = createScene();
    const { heard } = follow(1);
    await streams.stop();
    expect(heard).to.deep.equal(["end"]);
    expect(codeOf(() => follow(2))).to.equal("not_ready");
  });
});
