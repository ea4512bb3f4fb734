import { expect } from "chai";
import { dataComplaint, parseEngine } from "./mysql-engine.ts";

describe("a MySQL data folder", () => {
  const mariadb = { program: "mariadbd", kind: "MariaDB", version: "10.11.19" } as const;

  it("opens with the engine that made it, also after a patch or an upgrade", () => {
    for (const version of ["10.11.19", "10.11.25", "10.6.1"]) {
      expect(dataComplaint("data", mariadb, { kind: "MariaDB", version })).to.equal(undefined);
    }
  });

  it("is refused when the other engine made it", () => {
    expect(dataComplaint("data", mariadb, { kind: "MySQL", version: "8.4.3" })).to.contain(
      "made by MySQL 8.4.3",
    );
  });

  it("is refused when a newer release made it", () => {
    expect(dataComplaint("data", mariadb, { kind: "MariaDB", version: "11.4.2" })).to.contain(
      "newer than the installed",
    );
  });

  it("is refused when somebody else made it", () => {
    expect(dataComplaint("data", mariadb, {})).to.contain("not made by FlashPay");
  });
});

describe("the engine behind a version line", () => {
  it("is none when the line is none", () => {
    expect(parseEngine("mysqld", "sh: not found")).to.equal(undefined);
  });
});
