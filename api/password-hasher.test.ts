import { expect } from "chai";
import { DomainError } from "../shared/domain/errors.ts";
import { createPasswordHasher, type ClosablePasswordHasher } from "./password-hasher.ts";

const WAITING_MAX = 20;

describe("the password threads", function () {
  this.timeout(60_000);
  let passwords: ClosablePasswordHasher;
  before(() => {
    passwords = createPasswordHasher(WAITING_MAX);
  });
  after(() => passwords.close());

  it("tell the right password from a wrong one, and no password from nobody's", async () => {
    const hash = await passwords.hash("correct horse battery");
    expect(await passwords.matches("correct horse battery", hash)).to.equal(true);
    expect(await passwords.matches("correct horse batterY", hash)).to.equal(false);
    expect(await passwords.matches("correct horse battery", undefined)).to.equal(false);
  });

  it("do not take a longer password for one that begins like it", async () => {
    const hash = await passwords.hash("x".repeat(72));
    expect(await passwords.matches("x".repeat(73), hash)).to.equal(false);
  });

  it("have a bounded queue: of 150 at once some hear not_ready, and the others their answer", async () => {
    const hash = await passwords.hash("correct horse battery");
    const asked = Array.from({ length: 150 }, () => passwords.matches("correct horse battery", hash));
    const outcomes = await Promise.allSettled(asked);
    const refusals = outcomes.flatMap((one) => (one.status === "rejected" ? [one.reason as unknown] : []));
    expect(refusals.length).to.be.within(1, 150 - WAITING_MAX);
    for (const error of refusals)
      expect(error)
        .to.be.instanceOf(DomainError)
        .and.to.deep.include({ code: "not_ready", details: { retryAfterS: 2 } });
    for (const one of outcomes) if (one.status === "fulfilled") expect(one.value).to.equal(true);
    expect(await passwords.matches("correct horse battery", hash), "afterwards").to.equal(true);
  });

  it("leave the event loop free while they work", async () => {
    const hash = await passwords.hash("correct horse battery");
    let worst = 0;
    let last = performance.now();
    const timer = setInterval(() => {
      worst = Math.max(worst, performance.now() - last);
      last = performance.now();
    }, 5);
    await Promise.all(Array.from({ length: WAITING_MAX }, () => passwords.matches("wrong", hash)));
    clearInterval(timer);
    // Twenty of them on the loop would hold it for a second.
    expect(worst).to.be.lessThan(500);
  });
});
