import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { expect } from "chai";
import express from "express";
import request from "supertest";
import { createHttpServer } from "./server.ts";

describe("the HTTP server, request by request", () => {
  it("leaves the prototypes alone that requests and answers were born with", async () => {
    const app = express();
    const seen: (object | null)[][] = [];
    const prototypesOf = (...things: object[]): (object | null)[] =>
      things.map((thing): object | null => Object.getPrototypeOf(thing) as object | null);
    app.get("/", (req, res) => {
      seen.push(prototypesOf(req, res));
      res.json({});
    });
    const server = createHttpServer(app);
    server.prependListener("request", (req: IncomingMessage, res: ServerResponse) => {
      seen.push(prototypesOf(req, res));
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    for (let n = 0; n < 2; n += 1) await request(`http://127.0.0.1:${port}`).get("/").expect(200);
    server.close();
    server.closeAllConnections();
    // Compared as objects, not by what they hold: before Express and in the route, twice.
    expect(seen).to.have.lengthOf(4);
    for (const [req, res] of seen) expect(req === seen[0]?.[0] && res === seen[0]?.[1]).to.equal(true);
  });
});
