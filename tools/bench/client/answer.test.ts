import { expect } from "chai";
import { readAnswer } from "./answer.ts";

const answer = (status: string, body: string, header = `Content-Length: ${body.length}`) =>
  `HTTP/1.1 ${status}\r\nContent-Type: application/json\r\n${header}\r\n\r\n${body}`;

describe("the load client's reading of answers", () => {
  it("names a success by its status", () => {
    const text = answer("202 Accepted", '{"success":true}');
    expect(readAnswer(text)).to.deep.equal({ outcome: "202", length: text.length });
  });

  it("names a refusal by its status and its code", () => {
    const text = answer("409 Conflict", '{"success":false,"code":"sold_out"}', "content-length: 35");
    expect(readAnswer(text)?.outcome).to.equal("409 sold_out");
  });

  it("waits for the rest of a head and of a body", () => {
    const text = answer("200 OK", "hello");
    for (let end = 0; end < text.length; end += 1) expect(readAnswer(text.slice(0, end))).to.equal(undefined);
    expect(readAnswer(text)).to.not.equal(undefined);
  });

  it("ends where the answer ends, though more has come", () => {
    const text = answer("200 OK", "hello");
    expect(readAnswer(`${text}HTTP/1.1 200 OK`)?.length).to.equal(text.length);
  });

  it("takes 204 for an answer without a body", () => {
    const text = "HTTP/1.1 204 No Content\r\nDate: now\r\n\r\n";
    expect(readAnswer(text)).to.deep.equal({ outcome: "204", length: text.length });
  });

  it("refuses an answer whose end it cannot tell", () => {
    expect(() => readAnswer(answer("200 OK", "5\r\nhello", "Transfer-Encoding: chunked"))).to.throw(
      "Content-Length",
    );
  });
});
