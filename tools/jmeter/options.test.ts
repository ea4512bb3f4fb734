import { expect } from "chai";
import { StackFailure } from "../stack/failure.ts";
import { parseOptions } from "./options.ts";

describe("the options of npm run jmeter", () => {
  it("are 500 orders per second for a minute, each from another buyer", () => {
    expect(parseOptions([])).to.deep.include({
      rate: 500,
      duration: 60,
      users: 30_000,
      runs: 1,
      stack: false,
    });
  });

  it("have as many buyers as orders arrive", () => {
    expect(parseOptions(["--rate", "20", "--duration", "5"]).users).to.equal(100);
    expect(parseOptions(["--rate", "20", "--duration", "5", "--users", "7"]).users).to.equal(7);
  });

  for (const args of [
    ["--rate", "0"],
    ["--rate", "fast"],
    ["--rate", "1e3"],
    ["--duration", "-1"],
    ["--rate", "10", "--duration", "2", "--users", "21"],
    ["--prepare", "users.csv"],
    ["--unknown"],
    ["stray"],
  ]) {
    it(`are refused in one sentence: ${args.join(" ")}`, () => {
      expect(() => parseOptions(args)).to.throw(StackFailure);
    });
  }
});
