import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect } from "chai";
import { MUTANTS } from "../tools/mutants/catalogue.ts";
import { ASVS_ITEMS } from "./support/asvs-items.ts";

const PAGE = "docs/security.md";
const VERDICT = /^(met|in part|not met|not applicable|left to the operator)\b/;

interface Row {
  readonly items: readonly string[];
  readonly verdict: string;
  readonly shownBy: string;
}

describe(PAGE, () => {
  const text = readFileSync(PAGE, "utf8");
  const rows = text.split("\n").flatMap((line): Row[] => {
    const cells = line.split(" | ").map((cell) => cell.replace(/^\| | ?\|$/g, "").trim());
    const items = (cells[0] ?? "").split(", ");
    if (!items.every((item) => /^\d+\.\d+\.\d+$/.test(item))) return [];
    return [{ items, verdict: cells[2] ?? "", shownBy: cells[3] ?? "" }];
  });

  it("has one row for each item of ASVS 5.0 of levels 1 and 2, and for no other", () => {
    const listed = rows.flatMap(({ items }) => items);
    expect(listed.toSorted()).to.deep.equal(ASVS_ITEMS.toSorted());
  });

  it("says of each whether it is met, and by what that is shown", () => {
    for (const { items, verdict, shownBy } of rows) {
      expect(verdict, items.join()).to.match(VERDICT);
      if (/^met\b/.test(verdict)) expect(shownBy, items.join()).to.match(/`|\]\(|by design/);
      if (/^not applicable\b/.test(verdict)) expect(shownBy, items.join()).to.equal("");
    }
  });

  it("names tests that there are, alone or beside one in the same folder", () => {
    const missing = text.split("\n").flatMap((line) => {
      let folder = ".";
      return [...line.matchAll(/`([\w./-]+\.ts)`/g)].flatMap(([, name = ""]) => {
        const path = name.includes("/") ? name : join(folder, name);
        folder = dirname(path);
        return existsSync(path) ? [] : [path];
      });
    });
    expect(missing).to.deep.equal([]);
  });

  it("names mutants that there are", () => {
    const named = [...text.matchAll(/test:mutants -- ((?:M\d+ ?)+)/g)].flatMap(([, ids = ""]) =>
      ids.trim().split(" "),
    );
    expect(named).not.to.deep.equal([]);
    expect(MUTANTS.map(({ id }) => id)).to.include.members(named);
  });
});
