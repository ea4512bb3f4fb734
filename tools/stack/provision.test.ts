import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { findPrograms, type Found } from "./find-programs.ts";
import { missingPrograms } from "./needs.ts";
import { planFor } from "./provision.ts";

const ALL = ["mysql", "redis", "kafka"] as const;

describe("finding programs", () => {
  let folder: string;

  const program = (name: string, output: string): void => {
    writeFileSync(join(folder, name), `#!/bin/sh\necho '${output}'\n`);
    chmodSync(join(folder, name), 0o755);
  };
  const find = (): Promise<Found> => findPrograms([folder], {});

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "flashpay-path-"));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  it("tells MariaDB from MySQL, whatever the program is called", async () => {
    program("mysqld", "mysqld  Ver 10.11.19-MariaDB-0+deb12u1 for debian-linux-gnu on x86_64 (Debian 12)");
    expect((await find()).mysql).to.deep.include({ kind: "MariaDB", version: "10.11.19" });
    program("mysqld", "mysqld  Ver 8.4.3 for Linux on x86_64 (MySQL Community Server - GPL)");
    expect((await find()).mysql).to.deep.include({ kind: "MySQL", version: "8.4.3" });
  });

  it("does not count what is too old", async () => {
    program("mysqld", "mysqld  Ver 5.7.44 for Linux on x86_64 (MySQL Community Server (GPL))");
    program("redis-server", "Redis server v=5.0.14 sha=00000000:0 malloc=jemalloc bits=64");
    program("java", 'openjdk version "11.0.22" 2024-01-16');
    expect(await find()).to.deep.equal({});
  });

  it("finds what is new enough", async () => {
    program("redis-server", "Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64");
    program("java", 'openjdk version "17.0.15" 2025-04-15');
    program("mvn", "Apache Maven 3.8.7");
    const found = await find();
    expect(found.redis?.version).to.equal("7.0.15");
    expect(found.java).to.equal(join(folder, "java"));
    expect(found.maven).to.equal(join(folder, "mvn"));
  });

  it("passes over what cannot be run", async () => {
    writeFileSync(join(folder, "redis-server"), "no program");
    expect(await find()).to.deep.equal({});
  });
});

describe("what is missing", () => {
  const engine = { program: "mariadbd", kind: "MariaDB", version: "10.11.0" } as const;

  it("is nothing for servers that the environment names", () => {
    expect(missingPrograms([], {}, false)).to.deep.equal([]);
  });

  it("includes Maven only until the jars are there", () => {
    const found = { mysql: engine, redis: { path: "redis-server", version: "7.0.0" }, java: "java" };
    expect(missingPrograms(ALL, found, false)).to.deep.equal(["maven"]);
    expect(missingPrograms(ALL, found, true)).to.deep.equal([]);
  });
});

describe("the plan for missing programs", () => {
  it("is nothing to do when all are there", () => {
    expect(planFor([], { apt: "root", docker: true })).to.deep.equal({ kind: "nothing" });
  });

  it("is apt-get for root, and for a sudo that asks no password", () => {
    const packages = ["mariadb-server", "redis-server"];
    expect(planFor(["mysql", "redis"], { apt: "root", docker: true })).to.deep.equal({
      kind: "apt",
      packages,
      sudo: false,
    });
    expect(planFor(["mysql", "redis"], { apt: "sudo", docker: false })).to.deep.include({
      kind: "apt",
      sudo: true,
    });
  });

  it("is Docker, for the missing servers only, where nothing may be installed", () => {
    expect(planFor(["java", "maven"], { apt: "no", docker: true })).to.deep.equal({
      kind: "docker",
      servers: ["kafka"],
    });
  });

  it("is one message with everything to install where neither goes", () => {
    const plan = planFor(["mysql", "redis", "java", "maven"], { apt: "no", docker: false });
    expect(plan.kind).to.equal("tell");
    if (plan.kind === "tell") {
      expect(plan.message).to.contain(
        "apt-get install mariadb-server redis-server openjdk-21-jre-headless maven",
      );
      expect(plan.message.split("\n")).to.have.length(1);
    }
  });
});
