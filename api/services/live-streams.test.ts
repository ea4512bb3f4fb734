import { expect } from "chai";
import { DomainError } from "../../shared/domain/errors.ts";
import { createFakeClock } from "../../shared/testing/clock.ts";
import { createFakeRevocations } from "../../shared/testing/fakes.ts";
import { createLogRecorder } from "../../shared/testing/log.ts";
import { createLiveStreams } from "./live-streams.ts";
import type { LiveSnapshot } from "./live-view.ts";

const TOKEN_S = 60;

function createScene() {
  const clock = createFakeClock();
  const revocations = createFakeRevocations();
  let looks = 0;
  const view = {
    look: async () => {
      looks += 1;
      return { at: looks } as LiveSnapshot;
    },
  };
  const streams = createLiveStreams({ view, revocations, log: createLogRecorder(), now: clock.now });
  const watch = (userId: number) => {
    const heard: (number | string)[] = [];
    const unfollow = streams.follow({
      principal: {
        ...{ userId, role: "admin", jti: `jti-${userId}` },
        issuedAt: clock.now(),
        expiresAt: Math.floor(clock.now() / 1_000) + TOKEN_S,
      },
      show: ({ at }) => void heard.push(at),
      end: () => void heard.push("end"),
    });
    return { heard, unfollow };
  };
  return { clock, revocations, streams, watch, looks: () => looks };
}

const codeOf = (act: () => unknown): string => {
  try {
    act();
    return "nothing";
  } catch (error) {
    return error instanceof DomainError ? error.code : String(error);
  }
};

describe("live streams", () => {
  it("of any number share one look, and nobody looks for nobody", async () => {
    const { streams, watch, looks } = createScene();
    await streams.round();
    expect(looks()).to.equal(0);
    const [a, b] = [watch(1), watch(2)];
    await streams.round();
    expect([a.heard, b.heard, looks()]).to.deep.equal([[1], [1], 1]);
    a.unfollow();
    a.unfollow();
    await streams.round();
    expect([a.heard, b.heard]).to.deep.equal([[1], [1, 2]]);
    await streams.stop();
  });

  it("end with the token that opened them, by its time or by a log-out", async () => {
    const { streams, watch, clock, revocations } = createScene();
    const [a, b] = [watch(1), watch(2)];
    await revocations.revoke("jti-1", 0);
    await streams.round();
    expect([a.heard, b.heard]).to.deep.equal([["end"], [1]]);
    clock.advance(TOKEN_S * 1_000);
    await streams.round();
    expect([b.heard.at(-1), streams.size()]).to.deep.equal(["end", 0]);
    await streams.stop();
  });

  it("are limited for one administrator and for all, and none is opened at the end", async () => {
    const { streams, watch } = createScene();
    for (let n = 0; n < 5; n += 1) watch(1);
    expect(codeOf(() => watch(1))).to.equal("too_many_requests");
    for (let n = 0; n < 45; n += 1) watch(100 + n);
    expect(codeOf(() => watch(7))).to.equal("not_ready");
    await streams.stop();
    expect(streams.size()).to.equal(0);
    expect(codeOf(() => watch(7))).to.equal("not_ready");
  });
});
