import { once } from "node:events";
import { createServer, request as httpRequest, type IncomingMessage } from "node:http";
import { connect, type AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";
import { expect } from "chai";
import express from "express";
import request from "supertest";
import { createLogRecorder } from "../../shared/testing/log.ts";
import { orderBody } from "../controllers/schemas.ts";
import { parse } from "../controllers/parse.ts";
import { jsonBody } from "./body.ts";
import { errorHandler } from "./error-handler.ts";

const log = createLogRecorder();
const app = express();
app.post("/", ...jsonBody, (req, res) => {
  res.json(parse(orderBody, req.body));
});
app.use(errorHandler(log));

const server = createServer(app);
before(async () => {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
});
after(() => {
  server.close();
  server.closeAllConnections();
});

/** The bytes as they are: test clients like to be helpful. */
async function post(
  bytes: Buffer | string,
  headers: Record<string, string>,
): Promise<{ status: number; code: string }> {
  const { port } = server.address() as AddressInfo;
  const sending = httpRequest({ port, host: "127.0.0.1", method: "POST", path: "/", headers, agent: false });
  sending.on("error", () => undefined);
  sending.end(bytes);
  const [response] = (await once(sending, "response")) as [IncomingMessage];
  let text = "";
  for await (const chunk of response.setEncoding("utf8")) text += String(chunk);
  return { status: response.statusCode ?? 0, code: (JSON.parse(text) as { code: string }).code };
}
const JSON_TYPE = { "Content-Type": "application/json" };
const BODY = '{"productId":1}';

describe("a body", () => {
  it("that is cut off on its way is no error of ours", async () => {
    const { port } = server.address() as AddressInfo;
    const before = log.lines.length;
    const cut = new Promise<void>((resolve) => {
      server.once("request", (req: IncomingMessage) => req.once("close", resolve));
    });
    const socket = connect(port, "127.0.0.1");
    socket.on("error", () => undefined);
    socket.write(
      "POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n{",
      () => socket.resetAndDestroy(),
    );
    await cut;
    await new Promise((resolve) => setImmediate(resolve));
    expect(log.lines.slice(before)).to.deep.equal([]);
  });

  it("is read in UTF-8, with or without saying so", async () => {
    for (const type of [
      "application/json",
      "application/json; charset=utf-8",
      'Application/JSON;charset="UTF-8"',
    ])
      expect((await request(app).post("/").set("Content-Type", type).send(BODY)).status, type).to.equal(200);
  });

  const types = ["text/plain", "application/xml", "application/x-www-form-urlencoded", "multipart/form-data"];
  types.push(
    "application/json; charset=utf-7",
    "application/json; charset=utf-16",
    "application/jsonp",
    "text/json",
  );
  for (const type of types) {
    it(`of type ${type} is refused with 415`, async () => {
      expect(await post(BODY, { "Content-Type": type })).to.deep.equal({
        status: 415,
        code: "unsupported_media_type",
      });
    });
  }

  it("without a type is refused with 415", async () => {
    expect(await post(BODY, {})).to.deep.equal({ status: 415, code: "unsupported_media_type" });
  });

  it("in an unknown encoding is refused with 415", async () => {
    expect((await post(BODY, { ...JSON_TYPE, "Content-Encoding": "lzma" })).status).to.equal(415);
  });

  it("of 10 kB is read, of one byte more is refused with 413", async () => {
    const of = (bytes: number) => BODY.replace("{", `{${" ".repeat(bytes - BODY.length)}`);
    expect((await request(app).post("/").set(JSON_TYPE).send(of(10_240))).status).to.equal(200);
    expect(await post(of(10_241), JSON_TYPE)).to.deep.equal({ status: 413, code: "payload_too_large" });
  });

  it("in chunks, without a length, is measured as it comes", async () => {
    const chunked = { ...JSON_TYPE, "Transfer-Encoding": "chunked" };
    expect((await post(`{"a":"${"x".repeat(20_000)}"}`, chunked)).status).to.equal(413);
  });

  it("that swells when it is unpacked is refused with 413 without being unpacked whole", async () => {
    const bomb = gzipSync(Buffer.alloc(100_000_000));
    const rssBefore = process.memoryUsage().rss;
    expect((await post(bomb, { ...JSON_TYPE, "Content-Encoding": "gzip" })).status).to.equal(413);
    expect(process.memoryUsage().rss - rssBefore).to.be.below(50_000_000);
  });

  const broken: [string, Buffer | string][] = [
    ["invalid JSON", "{"],
    ["null", "null"],
    ["a number", "5"],
    ["text", '"x"'],
    ["two values", "{}{}"],
    ["a byte order mark", Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), Buffer.from(BODY)])],
    ["invalid UTF-8", Buffer.from([0x7b, 0x22, 0xc3, 0x28, 0x22, 0x3a, 0x31, 0x7d])],
    ["UTF-16", Buffer.from(BODY, "utf16le")],
    ["NaN", '{"productId":NaN}'],
    ["a comment", '{"productId":1}//'],
  ];
  for (const [what, bytes] of broken) {
    it(`that is ${what} is refused with 400`, async () => {
      expect(await post(bytes, JSON_TYPE)).to.deep.equal({ status: 400, code: "invalid_json" });
    });
  }

  const misshapen: [string, string][] = [
    ["nothing", ""],
    ["an array", "[]"],
    ["deep", `${'{"a":'.repeat(1_700)}1${"}".repeat(1_700)}`],
    ["deep in arrays", `${"[".repeat(5_000)}${"]".repeat(5_000)}`],
    ["after a prototype", '{"__proto__":{"role":"admin"},"productId":1}'],
    ["after a constructor", '{"constructor":{"prototype":{"x":1}},"productId":1}'],
  ];
  for (const [what, text] of misshapen) {
    it(`that is ${what} is refused with 400 by its schema`, async () => {
      expect(await post(text, JSON_TYPE)).to.deep.equal({ status: 400, code: "validation_failed" });
      expect(({} as Record<string, unknown>)["x"] ?? ({} as Record<string, unknown>)["role"]).to.equal(
        undefined,
      );
    });
  }

  it("never causes an error of ours", () => {
    expect(log.of("error")).to.deep.equal([]);
  });
});
