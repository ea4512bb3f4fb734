import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { StackFailure } from "./failure.ts";
import { openHome, type Home } from "./home.ts";
import { demandPort, openPorts } from "./ports.ts";

describe("ports", () => {
  let home: Home;
  const everyPortIsFree = (): Promise<boolean> => Promise.resolve(true);

  beforeEach(() => {
    home = openHome(mkdtempSync(join(tmpdir(), "flashpay-ports-")));
  });
  afterEach(() => {
    rmSync(home.path, { recursive: true });
  });

  it("remembers a port from one start to the next", async () => {
    const first = await openPorts(home, everyPortIsFree).claim("mysql");
    expect(await openPorts(home, everyPortIsFree).claim("mysql")).to.equal(first);
  });

  it("takes another port when somebody else has the remembered one", async () => {
    const first = await openPorts(home, everyPortIsFree).claim("mysql");
    const second = await openPorts(home, (port) => Promise.resolve(port !== first)).claim("mysql");
    expect(second).not.to.equal(first);
    expect(await openPorts(home, everyPortIsFree).claim("mysql")).to.equal(second);
  });

  it("gives each name a port of its own", async () => {
    const ports = openPorts(home, everyPortIsFree);
    const claimed = [await ports.claim("mysql"), await ports.claim("redis"), await ports.claim("kafka")];
    expect(new Set(claimed).size).to.equal(claimed.length);
  });

  it("stays below the ports of outgoing connections", async () => {
    expect(await openPorts(home, everyPortIsFree).claim("redis")).to.be.within(1024, 32_767);
  });

  describe("the port a person chose", () => {
    let stranger: Server;
    let taken: number;

    before((done) => {
      stranger = createServer().listen(0, "127.0.0.1", () => {
        const address = stranger.address();
        taken = typeof address === "object" && address ? address.port : 0;
        done();
      });
    });
    after((done) => {
      stranger.close(done);
    });

    it("is refused with one sentence when it is in use", async () => {
      const error: unknown = await demandPort(String(taken), 3000).catch((thrown: unknown) => thrown);
      expect(error).to.be.instanceOf(StackFailure);
      expect(String(error)).to.contain(`Port ${String(taken)} is in use`);
    });

    for (const text of ["abc", "0", "65536", "30.5", "-1"]) {
      it(`is refused when it is "${text}"`, async () => {
        const error: unknown = await demandPort(text, 3000).catch((thrown: unknown) => thrown);
        expect(String(error)).to.contain("PORT must be a whole number");
      });
    }
  });
});
