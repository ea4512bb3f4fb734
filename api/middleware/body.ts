import { isUtf8 } from "node:buffer";
import express, { type NextFunction, type Request, type RequestHandler } from "express";
import { DomainError } from "../../shared/domain/errors.ts";

/** Bytes of a body, decompressed. */
const BODY_BYTES_MAX = 10 * 1024;

const parseJson: RequestHandler = express.json({
  limit: BODY_BYTES_MAX,
  type: () => true,
  verify: (_req, _res, bytes) => {
    mustBeUtf8(bytes);
  },
});

function mustBeUtf8(bytes: Buffer): void {
  const marked = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
  if (marked || !isUtf8(bytes))
    throw new DomainError("invalid_json", "The body is not UTF-8 without a byte order mark (RFC 8259 §8.1).");
}

/**
 * Reads a body whose length is declared and small, as nearly all are. body-parser would do it by an async scope, a decoder
 * and a dozen listeners, for ten times the price; what it refuses is refused in the same words.
 */
function parseSmall(req: Request, next: NextFunction): void {
  const chunks: Buffer[] = [];
  req.on("data", (chunk: Buffer) => {
    chunks.push(chunk);
  });
  const onCut = (): void => {
    // There is nobody left to answer, and nothing of ours to mend.
    next(new DomainError("validation_failed", "The request was cut off."));
  };
  req.once("error", onCut);
  req.once("end", () => {
    req.off("error", onCut);
    const [first, ...others] = chunks;
    try {
      req.body = objectIn(others.length === 0 ? first : Buffer.concat(chunks));
    } catch (error) {
      next(error);
      return;
    }
    next();
  });
}

/** No bytes at all are an empty object, as body-parser has it: the schema says what is missing. */
function objectIn(bytes: Buffer | undefined): object {
  if (!bytes) return {};
  mustBeUtf8(bytes);
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString("utf8"));
  } catch (cause) {
    throw notJson(cause);
  }
  if (typeof value !== "object" || value === null) throw notJson();
  return value;
}

const notJson = (cause?: unknown): DomainError =>
  new DomainError("invalid_json", "The body is not valid JSON.", {}, { cause });

const MEDIA_TYPE = /^application\/json\s*(?:;\s*charset\s*=\s*"?utf-8"?\s*)?$/i;

/** Reads a JSON body in UTF-8; refuses every other media type, and a body that is too large, before reading it. */
export const jsonBody: readonly RequestHandler[] = [
  (req, _res, next) => {
    if (!MEDIA_TYPE.test(req.headers["content-type"] ?? "")) {
      throw new DomainError("unsupported_media_type", "Send application/json in UTF-8.");
    }
    next();
  },
  (req, res, next) => {
    const declared = req.headers["content-length"];
    if (declared !== undefined) {
      // node's parser holds a body to its declared length: there is nothing to count.
      if (Number(declared) <= BODY_BYTES_MAX) {
        if (req.headers["content-encoding"] === undefined) parseSmall(req, next);
        else parseJson(req, res, next);
        return;
      }
      discard(req);
      throw tooLarge();
    }
    let answered = false;
    const once = (error?: unknown): void => {
      if (answered) return;
      answered = true;
      next(error);
    };
    // body-parser reads a body that is too large to its end before it says so; a chunked one may have none.
    let received = 0;
    req.on("data", (chunk: Buffer) => {
      received += chunk.length;
      if (received <= BODY_BYTES_MAX || answered) return;
      discard(req);
      once(tooLarge());
    });
    parseJson(req, res, once);
  },
];

/** What is read and thrown away of a refused body, so that its sender gets to read the answer. */
const DISCARD_BYTES_MAX = 2 * 1024 * 1024;
const DISCARD_MS_MAX = 2_000;
const DISCARD_CHECK_MS = 20;

/** node reads a refused body to its end, however far that is. Counted on the socket: what is thrown away has no events. */
function discard(req: Request): void {
  const { socket } = req;
  const from = socket.bytesRead;
  const startedAt = performance.now();
  const timer = setInterval(() => {
    const enough =
      socket.bytesRead - from > DISCARD_BYTES_MAX || performance.now() - startedAt > DISCARD_MS_MAX;
    if (enough && !req.complete) socket.destroy();
    // Complete: the connection has gone on to its next request.
    if (req.complete || socket.destroyed) clearInterval(timer);
  }, DISCARD_CHECK_MS);
}

const tooLarge = () => new DomainError("payload_too_large", "The body is larger than 10 kB.");
