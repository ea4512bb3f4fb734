import { expect } from "chai";
import { parseOptions } from "./options.ts";

describe("the options of npm run bench", () => {
  it("runs every scenario on every target unless told otherwise", () => {
    const { scenarios, targets, connections } = parseOptions([]);
    expect(scenarios[0]).to.equal("saturation");
    expect(targets).to.include.members(["flashpay", "reference", "bare", "hello"]);
    expect(connections).to.deep.equal([64, 512]);
  });

  it("takes a scenario by its name or its letter, once", () => {
    expect(parseOptions(["a", "saturation"]).scenarios).to.deep.equal(["saturation"]);
  });

  it("runs what was chosen in the order of the letters", () => {
    expect(parseOptions(["storm", "b"]).scenarios).to.deep.equal(["open", "storm"]);
  });

  it("lets --quick set everything that was not given", () => {
    const options = parseOptions(["--quick", "--rounds", "2"]);
    expect(options.rounds).to.equal(2);
    expect(options.seconds).to.equal(1);
  });

  const refused: [string, string[], string][] = [
    ["an unknown scenario", ["speed"], 'no scenario "speed"'],
    ["an unknown target", ["--targets", "flashpay,rails"], 'no target "rails"'],
    ["no rounds", ["--rounds", "0"], "--rounds"],
    ["half a second", ["--seconds", "0.5"], "--seconds"],
    ["a list with a gap", ["--connections", "64,,512"], "--connections"],
    ["a rate that is no number", ["--rates", "fast"], "--rates"],
    ["a path to save to", ["--save", "../figures"], "--save"],
    ["an unknown flag", ["--fast"], "--fast"],
  ];
  for (const [what, args, sentence] of refused) {
    it(`refuses ${what} with one sentence`, () => {
      expect(() => parseOptions(args)).to.throw(sentence);
    });
  }
});
