import { expect } from "chai";
import express from "express";
import request from "supertest";
import { DomainError, REFUSALS, type ErrorCode } from "../../shared/domain/errors.ts";
import { createLogRecorder } from "../../shared/testing/log.ts";
import { errorHandler, notFound, PROBLEMS } from "./error-handler.ts";

const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";

function answerTo(error: unknown) {
  const log = createLogRecorder();
  const app = express()
    .get("/", () => {
      throw error;
    })
    .use(notFound)
    .use(errorHandler(log));
  return { log, response: request(app).get("/").set("traceparent", `00-${TRACE}-00f067aa0ba902b7-01`) };
}

/** Contract §1, once more. */
const STATUS: Record<ErrorCode, number> = {
  validation_failed: 400,
  invalid_json: 400,
  unauthenticated: 401,
  forbidden: 403,
  not_found: 404,
  method_not_allowed: 405,
  username_taken: 409,
  email_taken: 409,
  sold_out: 409,
  sale_not_open: 409,
  sale_closed: 409,
  limit_exceeded: 409,
  order_in_progress: 409,
  dead_letter_handled: 409,
  payload_too_large: 413,
  unsupported_media_type: 415,
  idempotency_key_reused: 422,
  too_many_requests: 429,
  not_ready: 503,
  outcome_unknown: 503,
  internal: 500,
};

describe("a problem", () => {
  for (const [code, status] of Object.entries(STATUS) as [ErrorCode, number][]) {
    it(`of code ${code} is answered with ${status} as problem+json`, async () => {
      const response = await answerTo(new DomainError(code, "A sentence.")).response;
      expect([response.status, response.type]).to.deep.equal([status, "application/problem+json"]);
      expect(response.body).to.deep.equal({
        success: false,
        type: `urn:flashpay:problem:${code}`,
        title: PROBLEMS[code].title,
        status,
        detail: "A sentence.",
        code,
        traceId: TRACE,
        ...((REFUSALS as readonly string[]).includes(code) && { data: { status: "FAILED", reason: code } }),
      });
    });
  }

  it("carries its headers", async () => {
    const details = { retryAfterS: 3, allow: ["GET", "HEAD"] };
    const { headers } = await answerTo(new DomainError("method_not_allowed", "x", details)).response;
    expect([headers["retry-after"], headers["allow"]]).to.deep.equal(["3", "GET, HEAD"]);
  });

  it("that is told again has the first trace id", async () => {
    const error = new DomainError("sold_out", "x", { replayOf: { traceId: "first" } });
    const response = await answerTo(error).response;
    expect((response.body as { traceId: string }).traceId).to.equal("first");
    expect(response.headers["idempotent-replayed"]).to.equal("true");
  });

  it("has a trace id of its own when the request brings none that is valid", async () => {
    const app = express().use(notFound).use(errorHandler(createLogRecorder()));
    for (const header of ["x", `00-${"0".repeat(32)}-00f067aa0ba902b7-01`, "00-\u00e4-1-01"]) {
      const response = await request(app).get("/").set("traceparent", header);
      expect((response.body as { traceId: string }).traceId).to.match(/^[0-9a-f]{32}$/);
    }
  });
});

describe("a bug", () => {
  const bugs: [string, unknown][] = [
    [
      "an error with a secret",
      new Error("ER_PARSE near 'SELECT * FROM users' at /srv/app/db.ts password=hunter2"),
    ],
    ["a thrown text", "SELECT hunter2"],
    [
      "an error that claims to be a client's",
      Object.assign(new Error("hunter2"), { status: 500, expose: true }),
    ],
  ];
  for (const [what, bug] of bugs) {
    it(`(${what}) is logged whole and answered with a fixed sentence`, async () => {
      const { log, response } = answerTo(bug);
      const { status, text } = await response;
      expect(status).to.equal(500);
      expect(text).not.to.match(/hunter2|SELECT|srv|\.ts|at /);
      expect(log.of("error")[0]?.fields).to.include({ err: bug, traceId: TRACE });
    });
  }

  it("of the client's making is no error of ours", async () => {
    const { log, response } = answerTo(new DomainError("sold_out", "x"));
    await response;
    expect([...log.of("error"), ...log.of("warn")]).to.deep.equal([]);
  });

  it("behind a dependency's failure is told to the operator, not to the client", async () => {
    const error = new DomainError(
      "not_ready",
      "Try again.",
      {},
      { cause: new Error("10.0.0.7:3306 refused") },
    );
    const { log, response } = answerTo(error);
    expect((await response).text).not.to.include("10.0.0.7");
    expect(log.of("warn")).to.have.lengthOf(1);
  });
});
