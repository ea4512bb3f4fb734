/** The first answer in what a connection has received, and how many characters it takes. */
export interface Answer {
  /** "202", or "409 sold_out" for a refusal that names its code. */
  readonly outcome: string;
  readonly length: number;
}

const STATUS_AT = 9;
const STATUS_END = 12;
const HEAD_END = "\r\n\r\n";
const WITHOUT_BODY = new Set(["204", "304"]);

/**
 * As little of HTTP/1.1 as the answers of our own servers need: status, Content-Length, body. The text is latin1, so that its
 * length is the number of bytes. Undefined: more is to come.
 * @throws Error for an answer without a length; nothing here would know its end
 */
export function readAnswer(text: string): Answer | undefined {
  const headEnd = text.indexOf(HEAD_END);
  if (headEnd < 0) return undefined;
  const status = text.slice(STATUS_AT, STATUS_END);
  const bodyAt = headEnd + HEAD_END.length;
  const length = bodyAt + bodyLength(text, status, headEnd);
  if (text.length < length) return undefined;
  return { outcome: status.startsWith("2") ? status : refusal(status, text, bodyAt), length };
}

function bodyLength(text: string, status: string, headEnd: number): number {
  if (WITHOUT_BODY.has(status)) return 0;
  const found = /\r\ncontent-length: *(\d+)/i.exec(text.slice(0, headEnd))?.[1];
  if (found === undefined) throw new Error(`an answer without Content-Length: ${text.slice(0, headEnd)}`);
  return Number(found);
}

function refusal(status: string, text: string, bodyAt: number): string {
  const code = /"code":"([a-z_]+)"/.exec(text.slice(bodyAt))?.[1];
  return code === undefined ? status : `${status} ${code}`;
}
