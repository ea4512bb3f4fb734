import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { StackFailure } from "./failure.ts";
import { writeJson } from "./files.ts";
import { openHome, type Home } from "./home.ts";
import { identify, isAlive } from "./identity.ts";
import { lockHome, withLock } from "./lock.ts";

describe("the lock of a home", () => {
  let home: Home;
  const nobody = { pid: 2 ** 22 + 1, began: "never" };

  beforeEach(() => {
    home = openHome(mkdtempSync(join(tmpdir(), "flashpay-lock-")));
  });
  afterEach(() => {
    rmSync(home.path, { recursive: true });
  });

  it("refuses a second launcher and names the first", () => {
    lockHome(home);
    expect(() => lockHome(home)).to.throw(
      StackFailure,
      `FlashPay (pid ${String(process.pid)}) is already running from ${home.path}.`,
    );
  });

  it("is free again after its release", () => {
    lockHome(home)();
    expect(() => lockHome(home)).not.to.throw();
  });

  it("of a dead launcher blocks nobody", () => {
    writeJson(home.at("launcher.lock"), nobody);
    expect(() => lockHome(home)).not.to.throw();
  });

  it("of a launcher whose pid somebody else has now blocks nobody", () => {
    writeJson(home.at("launcher.lock"), { pid: process.pid, began: "before the last reboot" });
    expect(() => lockHome(home)).not.to.throw();
  });

  it("that was half written blocks nobody", () => {
    writeFileSync(home.at("launcher.lock"), '{"pid":');
    expect(() => lockHome(home)).not.to.throw();
  });

  it("lets work through one at a time, and after a failure too", async () => {
    const path = home.at("work.lock");
    const order: string[] = [];
    const piece = (name: string): Promise<void> =>
      withLock(path, 5_000, async () => {
        order.push(`${name} begins`);
        await Promise.resolve();
        order.push(`${name} ends`);
        if (name === "first") throw new Error("on purpose");
      });
    await Promise.allSettled([piece("first"), piece("second")]);
    expect(order).to.deep.equal(["first begins", "first ends", "second begins", "second ends"]);
    expect(existsSync(path)).to.equal(false);
  });
});

describe("the identity of a process", () => {
  it("knows the living from the dead", () => {
    const me = identify(process.pid);
    expect(me).not.to.equal(undefined);
    if (me) {
      expect(isAlive(me)).to.equal(true);
      expect(isAlive({ ...me, began: "another time" })).to.equal(false);
    }
  });
});
