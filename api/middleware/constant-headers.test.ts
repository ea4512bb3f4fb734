import { expect } from "chai";
import express from "express";
import helmet from "helmet";
import request from "supertest";
import { constantHeaders } from "./constant-headers.ts";

describe("constant headers", () => {
  it("are those that the middleware sets by itself", async () => {
    const headersWith = async (handler: express.RequestHandler) => {
      const app = express().use(handler, (_req, res) => void res.end());
      const { date: _date, ...headers } = (await request(app).get("/")).headers as Record<string, string>;
      return headers;
    };
    const found = await headersWith(constantHeaders(helmet()));
    expect(found).to.include.keys("content-security-policy", "strict-transport-security");
    // Express says its name before any middleware can take that back: the app is told not to.
    expect({ ...found, "x-powered-by": undefined }).to.deep.equal({
      ...(await headersWith(helmet())),
      "x-powered-by": undefined,
    });
  });

  it("cannot be had of a middleware that answers later", () => {
    expect(() => constantHeaders(() => undefined)).to.throw("not known at once");
  });
});
