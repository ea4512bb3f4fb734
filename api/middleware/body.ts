import { isUtf8 } from "node:buffer";
import express, { type RequestHandler } from "express";
import { DomainError } from "../../shared/domain/errors.ts";

/** Bytes of a body, decompressed. */
const BODY_BYTES_MAX = 10 * 1024;

const parseJson = express.json({
  limit: BODY_BYTES_MAX,
  type: () => true,
  verify: (_req, _res, bytes) => {
    const marked = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
    if (marked || !isUtf8(bytes)) {
      throw new DomainError(
        "invalid_json",
        "The body is not UTF-8 without a byte order mark (RFC 8259 §8.1).",
      );
    }
  },
});

const MEDIA_TYPE = /^application\/json\s*(?:;\s*charset\s*=\s*"?utf-8"?\s*)?$/i;

/** Reads a JSON body in UTF-8; refuses every other media type before reading a byte. */
export const jsonBody: readonly RequestHandler[] = [
  (req, _res, next) => {
    if (!MEDIA_TYPE.test(req.headers["content-type"] ?? "")) {
      throw new DomainError("unsupported_media_type", "Send application/json in UTF-8.");
    }
    next();
  },
  parseJson,
];
