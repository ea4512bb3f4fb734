import { once } from "node:events";
import { Agent, get, type IncomingMessage, type Server } from "node:http";
import { connect } from "node:net";
import { expect } from "chai";
import express from "express";
import { closeHttpServer, createHttpServer } from "./server.ts";

const GRACE_MAX_MS = 2_000;
const DEADLINE_MS = 300;

describe("the HTTP server", () => {
  let server: Server;
  let agent: Agent;
  let answerLate: (() => void) | undefined;

  beforeEach(async () => {
    const app = express();
    app.get("/at-once", (_req, res) => {
      res.json({});
    });
    app.get("/late", (_req, res) => {
      answerLate = () => {
        res.json({});
      };
    });
    server = createHttpServer(app);
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    agent = new Agent({ keepAlive: true, maxSockets: 1 });
  });
  afterEach(() => {
    agent.destroy();
    server.close();
    server.closeAllConnections();
  });

  const port = (): number => {
    const address = server.address();
    return typeof address === "object" && address ? address.port : 0;
  };
  const ask = async (path: string, at = port()): Promise<{ response: IncomingMessage; reused: boolean }> => {
    const asking = get({ host: "127.0.0.1", port: at, path, agent });
    const [response] = (await once(asking, "response")) as [IncomingMessage];
    response.resume();
    await once(response, "end");
    return { response, reused: asking.reusedSocket };
  };
  const elapsedSince = (startedAt: number): number => performance.now() - startedAt;

  it("gives requests and answers Express' prototypes when they are born", async () => {
    let born: unknown;
    server.prependListener("request", (req: IncomingMessage) => {
      born = Object.getPrototypeOf(Object.getPrototypeOf(Object.getPrototypeOf(req)));
    });
    await ask("/at-once");
    expect(born).to.equal(express.request);
  });

  it("answers a kept connection once more while it closes, and says that this was the last time", async () => {
    const first = await ask("/at-once");
    expect(first.response.headers.connection).to.equal("keep-alive");
    const at = port();
    const startedAt = performance.now();
    const closed = closeHttpServer(server);
    const last = await ask("/at-once", at);
    expect([last.reused, last.response.statusCode, last.response.headers.connection]).to.deep.equal([
      true,
      200,
      "close",
    ]);
    await closed;
    expect(elapsedSince(startedAt)).to.be.below(GRACE_MAX_MS);
  });

  it("takes no new connection while it closes, and lets the request under way finish", async () => {
    const asked = ask("/late");
    while (!answerLate) await once(server, "request");
    const at = port();
    const closed = closeHttpServer(server);
    const [refused] = (await once(connect(at, "127.0.0.1"), "error")) as [NodeJS.ErrnoException];
    expect(refused.code).to.equal("ECONNREFUSED");
    answerLate();
    expect((await asked).response.statusCode).to.equal(200);
    await closed;
  });

  it("closes a kept connection that asks nothing more", async () => {
    await ask("/at-once");
    const startedAt = performance.now();
    await closeHttpServer(server);
    expect(elapsedSince(startedAt)).to.be.below(GRACE_MAX_MS);
  });

  it("waits no longer than its deadline for a connection that never asks", async () => {
    const silent = connect(port(), "127.0.0.1");
    silent.on("error", () => undefined);
    await once(server, "connection");
    const startedAt = performance.now();
    await closeHttpServer(server, DEADLINE_MS);
    expect(elapsedSince(startedAt)).to.be.within(DEADLINE_MS, GRACE_MAX_MS);
    silent.destroy();
  });
});
