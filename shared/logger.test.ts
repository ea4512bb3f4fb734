import { expect } from "chai";
import { Writable } from "node:stream";
import { createLogger } from "./logger.ts";

/** What the logger writes of these fields. */
function logged(fields: object): string {
  const lines: string[] = [];
  const sink = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      lines.push(chunk.toString());
      done();
    },
  });
  createLogger("api", "info", sink).error(fields, "it failed");
  expect(lines).to.have.length(1);
  return lines[0]!;
}

describe("a line of the log", () => {
  it("tells of an error its type, message, stack and codes", () => {
    const error = Object.assign(new TypeError("away"), { code: "ECONNREFUSED", port: 3306 });
    const { err } = JSON.parse(logged({ err: error })) as { err: Record<string, unknown> };
    expect(err).to.include({ type: "TypeError", message: "away", code: "ECONNREFUSED", port: 3306 });
    expect(err["stack"]).to.match(/TypeError: away\n\s+at /);
  });

  it("tells the code that a database gave below its driver's error", () => {
    const error = Object.assign(new Error("no such table"), { parent: { code: "ER_NO_SUCH_TABLE" } });
    expect(JSON.parse(logged({ err: error }))).to.have.nested.property("err.code", "ER_NO_SUCH_TABLE");
  });

  it("holds no statement, no value and no command that an error carries", () => {
    const more = {
      sql: "INSERT ... 'planted'",
      parameters: ["planted"],
      parent: { sql: "planted" },
      command: { args: ["planted"] },
    };
    expect(logged({ err: Object.assign(new Error("refused"), more) })).not.to.contain("planted");
  });

  it("holds no password and no token, a level below as well", () => {
    const fields = { password: "planted", authorization: "planted" };
    const body = { ...fields, passwordHash: "planted", accessToken: "planted" };
    expect(logged({ ...fields, body, headers: fields })).not.to.contain("planted");
  });

  it("of the plain log is the same, and goes to the same place", () => {
    const lines: string[] = [];
    const log = createLogger("api", "info", { write: (line) => void lines.push(line) });
    log.info({ status: 200 }, "request");
    log.plain.info({ status: 200 }, "request");
    const [first, second] = lines.map((line) => ({ ...(JSON.parse(line) as object), time: "" }));
    expect(first).to.deep.equal(second);
  });

  it("stays one line, whatever breaks lines in it", () => {
    const line = logged({ path: "a\r\nb\u2028c\0", err: new Error("x\ny") });
    expect(line.trimEnd()).not.to.match(/[\r\n]/);
    expect(JSON.parse(line)).to.have.property("path", "a\r\nb\u2028c\0");
  });
});
