import { createHmac, randomUUID } from "node:crypto";

const HASHES = { HS256: "sha256", HS384: "sha384", HS512: "sha512" } as const;

const encode = (part: string): string => Buffer.from(part).toString("base64url");
const inS = (seconds: number): number => Math.floor(Date.now() / 1_000) + seconds;

/** The claims of a good token of ours. */
export const goodClaims = (userId: number, role = "user") => ({
  sub: String(userId),
  role,
  jti: randomUUID(),
  iss: "flashpay",
  aud: "flashpay-api",
  iat: inS(0),
  exp: inS(600),
});

/** Puts a token together as an attacker would: by hand, so that nothing is refused on the way. */
export function forge(claims: object | string, secret: string, alg: keyof typeof HASHES = "HS256"): string {
  const payload = typeof claims === "string" ? claims : JSON.stringify(claims);
  const signed = `${encode(JSON.stringify({ alg, typ: "JWT" }))}.${encode(payload)}`;
  return `${signed}.${createHmac(HASHES[alg], secret).update(signed).digest("base64url")}`;
}

export function unsigned(claims: object, alg: string): string {
  return `${encode(JSON.stringify({ alg, typ: "JWT" }))}.${encode(JSON.stringify(claims))}.`;
}

/** The same signature under other claims. */
export function edited(token: string, changes: object): string {
  const [header = "", payload = "", signature = ""] = token.split(".");
  const claims = JSON.parse(Buffer.from(payload, "base64url").toString()) as object;
  return `${header}.${encode(JSON.stringify({ ...claims, ...changes }))}.${signature}`;
}

/** JSON can write a number that no number holds. */
export function withRawExpiry(userId: number, rawExpiry: string, secret: string): string {
  const text = JSON.stringify({ ...goodClaims(userId), exp: 0 }).replace('"exp":0', `"exp":${rawExpiry}`);
  return forge(text, secret);
}

export const fromNow = inS;
