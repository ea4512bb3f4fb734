import { expect } from "chai";
import { busyMsOf, cpuMsOf, othersPart, readCpu, readResidentMib, residentMibOf } from "./cpu.ts";

describe("what processes cost", () => {
  it("adds the time in user and system mode, of the process and of its ended children", () => {
    const stat = "42 (redis-server) S 1 42 42 0 -1 4194304 900 0 0 0 120 30 7 3 20 0 5 0 777 1000 200";
    expect(cpuMsOf(stat)).to.equal((120 + 30 + 7 + 3) * 10);
  });

  it("is not misled by a name with blanks and parentheses", () => {
    const stat = "42 (a (b) c) S 1 42 42 0 -1 4194304 900 0 0 0 1 2 3 4 20 0 5 0 777 1000 200";
    expect(cpuMsOf(stat)).to.equal(100);
  });

  it("counts as work neither idling nor waiting for a disk", () => {
    expect(busyMsOf("cpu  10 1 20 9999 888 2 3 77 0 0\ncpu0 1 1 1 1\n")).to.equal(360);
  });

  it("reads resident memory in MiB", () => {
    expect(residentMibOf("Name:\tnode\nVmHWM:\t 999999 kB\nVmRSS:\t  104448 kB\n")).to.equal(102);
  });

  it("never makes the neighbours' part negative", () => {
    expect(othersPart(900, 1_000, 1_000)).to.equal(0);
  });

  it("leaves out a role of which a process is gone, rather than telling half of it", () => {
    const roles = { gone: [process.pid, 2 ** 30] };
    expect(readCpu(roles).byRole).to.deep.equal({});
    expect(readResidentMib(roles)).to.deep.equal({});
  });
});
