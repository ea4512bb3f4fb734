import { expect } from "chai";
import fc from "fast-check";
import { Sequelize } from "sequelize";
import { valuesOf } from "./rows.ts";

describe("rows in a statement", () => {
  const sequelize = new Sequelize({ dialect: "mysql", logging: false });

  it("are what Sequelize makes of them, whatever they hold", () => {
    const value = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.string({ unit: fc.constantFrom("a", "'", "\\", " ", ";", "-", "\n", "\0", "é") }),
      fc.maxSafeInteger(),
      fc.constant(null),
      fc.uuid(),
      fc.uint8Array().map((bytes) => Buffer.from(bytes)),
    );
    fc.assert(
      fc.property(fc.array(value, { minLength: 1 }), (row) => {
        const escaped = row.map((one) => sequelize.escape(one as string)).join(", ");
        expect(valuesOf(sequelize, [row])).to.equal(`(${escaped})`);
      }),
      { numRuns: 2_000 },
    );
  });

  it("follow each other", () => {
    const rows = [
      [1, "2026-11-30 10:00:00.000"],
      [2, "it's"],
    ];
    expect(valuesOf(sequelize, rows)).to.equal("(1, '2026-11-30 10:00:00.000'), (2, 'it\\'s')");
  });
});
