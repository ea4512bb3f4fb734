import { createHash, createHmac, createSecretKey, timingSafeEqual, type KeyObject } from "node:crypto";
import type { NextFunction, Request, RequestHandler, Response } from "express";
import jwt from "jsonwebtoken";
import { LRUCache } from "lru-cache";
import passport from "passport";
import { Strategy, type SecretOrKeyProvider, type VerifiedCallback } from "passport-jwt";
import { DomainError } from "../../shared/domain/errors.ts";
import type { Revocations } from "../../shared/domain/ports.ts";
import { ROLES, type Principal, type Role } from "../../shared/domain/user.ts";
import type { TokenIssuer } from "../services/account-service.ts";
import { principalOf, setPrincipal } from "../request-context.ts";

const ALGORITHM = "HS256";
const ISSUER = "flashpay";
const AUDIENCE = "flashpay-api";
const SCHEME = "Bearer ";
/** Ours have about 400. What is longer is looked at no further: no parser, no memory. */
const AUTHORIZATION_LENGTH_MAX = 1_024;
/** From beginning to end: what stands behind a good token would make it another one to remember. */
const ONE_TOKEN = /^Bearer ([\w-]+\.[\w-]+\.[\w-]+)$/i;
/**
 * Headers whose token's signature was found good, 1 kB each at most: a buyer looks, buys and asks what became of it with
 * the same one. A token has one place here, under `Bearer ` as clients write it. Expiry and revocation are looked at each time.
 */
const TOKENS_REMEMBERED_MAX = 20_000;

export function createTokenIssuer(secret: string, expiresInS: number): TokenIssuer {
  const { key, kid } = signingKey(secret);
  return {
    issue: ({ id, role, jti }) => {
      // To the millisecond, as RFC 7519 allows: a log-in right after a log-out everywhere is not of the same moment.
      const iat = Date.now() / 1_000;
      const exp = Math.floor(iat) + expiresInS;
      return {
        accessToken: jwt.sign({ role, iat, exp }, key, {
          algorithm: ALGORITHM,
          keyid: kid,
          subject: String(id),
          jwtid: jti,
          issuer: ISSUER,
          audience: AUDIENCE,
        }),
        expiresInS,
      };
    },
  };
}

/**
 * The guard of every route that needs a user: a bearer token of ours, unexpired, not revoked (RFC 6750).
 * @param previousSecret what signed before `secret` did; its tokens are taken until they run out
 */
export function createAuthenticate(
  secret: string,
  revocations: Pick<Revocations, "isRevoked">,
  previousSecret?: string,
): RequestHandler {
  const strategy = new Strategy(
    {
      jwtFromRequest: ({ headers }: Request) => ONE_TOKEN.exec(headers.authorization ?? "")?.[1] ?? null,
      ...keysFor(secret, previousSecret),
      algorithms: [ALGORITHM],
      issuer: ISSUER,
      audience: AUDIENCE,
    },
    (claims: unknown, done: VerifiedCallback) => {
      const principal = toPrincipal(claims);
      done(null, principal && !revocations.isRevoked(principal) ? principal : false);
    },
  );
  const verified = new LRUCache<string, Principal>({ max: TOKENS_REMEMBERED_MAX });
  const plainly = createPlainCheck(secret, previousSecret);
  return (req, res, next) => {
    const { authorization = "" } = req.headers;
    if (authorization.length > AUTHORIZATION_LENGTH_MAX) {
      next(unauthenticated());
      return;
    }
    // The whole header as it came: to cut the token out would cost every order more than the look-up itself.
    const known = verified.get(authorization);
    if (known && Date.now() < known.expiresAt * 1_000 && !revocations.isRevoked(known)) {
      enter(req, res, known, next);
      return;
    }
    const principal = plainly(authorization);
    if (principal && !revocations.isRevoked(principal)) {
      verified.set(authorization, principal);
      enter(req, res, principal, next);
      return;
    }
    const verify = passport.authenticate(
      strategy,
      { session: false },
      (error: unknown, principal: Principal | false | null) => {
        if (error || !principal) {
          next(unauthenticated());
          return;
        }
        // The scheme counts in any case (RFC 9110), 64 of them: only one is remembered.
        if (authorization.startsWith(SCHEME)) verified.set(authorization, principal);
        enter(req, res, principal, next);
      },
    ) as RequestHandler;
    void verify(req, res, next);
  };
}

/** What is told to one user is nobody else's: no cache on the way may keep it, unless the route says otherwise. */
function enter(req: Request, res: Response, principal: Principal, next: NextFunction): void {
  setPrincipal(req, principal);
  res.setHeader("Cache-Control", "no-store");
  next();
}

const unauthenticated = (): DomainError =>
  new DomainError("unauthenticated", "A valid access token is required.");

interface SigningKey {
  /** Not text: passport-jwt tries to read text as a public key first, 0.3 ms a request. */
  readonly key: KeyObject;
  /** Tells keys apart and says nothing of them: four bytes of a hash of at least 32 random ones. */
  readonly kid: string;
}

function signingKey(secret: string): SigningKey {
  const kid = createHash("sha256").update(`kid ${secret}`).digest("hex").slice(0, 8);
  return { key: createSecretKey(Buffer.from(secret)), kid };
}

/** By the token's `kid`; a token without one is of the current key. passport-jwt's types know text and bytes only. */
function keysFor(
  secret: string,
  previousSecret?: string,
): { secretOrKey: Buffer } | { secretOrKeyProvider: SecretOrKeyProvider } {
  const current = signingKey(secret);
  if (previousSecret === undefined) return { secretOrKey: current.key as unknown as Buffer };
  const previous = signingKey(previousSecret);
  const header = headerOf(previous);
  return {
    secretOrKeyProvider: (_req, token: unknown, done) => {
      const isPrevious = typeof token === "string" && token.startsWith(header);
      done(null, (isPrevious ? previous : current).key as unknown as Buffer);
    },
  };
}

/** A key's tokens all begin with the same bytes, their header and its dot: cheaper to compare than to decode. */
function headerOf({ key, kid }: SigningKey): string {
  const token = jwt.sign({}, key, { algorithm: ALGORITHM, keyid: kid, noTimestamp: true });
  return token.slice(0, token.indexOf(".") + 1);
}

/**
 * Knows a good token that was written as ours are, in a third of the time that passport-jwt takes to decode it twice. It
 * can only accept, and never what passport-jwt would not (authenticate.test.ts): every refusal, and every other token, is
 * passport-jwt's to judge.
 */
export function createPlainCheck(
  secret: string,
  previousSecret?: string,
): (authorization: string) => Principal | undefined {
  const keys = [secret, ...(previousSecret === undefined ? [] : [previousSecret])].map((one) => {
    const signing = signingKey(one);
    return { key: signing.key, start: `${SCHEME}${headerOf(signing)}` };
  });
  return (authorization) => {
    const ours = keys.find(({ start }) => authorization.startsWith(start));
    if (!ours) return undefined;
    const dot = authorization.lastIndexOf(".");
    if (dot <= ours.start.length) return undefined;
    const signed = authorization.slice(SCHEME.length, dot);
    const expected = Buffer.from(createHmac("sha256", ours.key).update(signed).digest("base64url"));
    const given = Buffer.from(authorization.slice(dot + 1));
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) return undefined;
    return principalIn(authorization.slice(ours.start.length, dot));
  };
}

/** Of signed claims, when they say what ours say, and that now. */
function principalIn(claims: string): Principal | undefined {
  if (claims.includes(".")) return undefined;
  let parsed: unknown;
  try {
    parsed = JSON.parse(Buffer.from(claims, "base64url").toString("utf8"));
  } catch {
    return undefined;
  }
  if (typeof parsed !== "object" || parsed === null) return undefined;
  const { iss, aud, nbf } = parsed as Record<string, unknown>;
  if (iss !== ISSUER || aud !== AUDIENCE || nbf !== undefined) return undefined;
  const principal = toPrincipal(parsed);
  return principal && Date.now() < principal.expiresAt * 1_000 ? principal : undefined;
}

export function requireRole(role: Role): RequestHandler {
  return (req, _res, next) => {
    if (principalOf(req).role !== role) throw new DomainError("forbidden", "Your role does not allow this.");
    next();
  };
}

/** A token that verifies and lacks what ours have is not ours: no expiry, a made-up role, a broken subject. */
function toPrincipal(claims: unknown): Principal | undefined {
  const { sub, role, jti, iat, exp } = claims as Record<string, unknown>;
  const userId = typeof sub === "string" && /^[1-9]\d{0,15}$/.test(sub) ? Number(sub) : Number.NaN;
  if (!Number.isSafeInteger(userId) || typeof jti !== "string" || jti === "" || typeof exp !== "number")
    return undefined;
  if (!Number.isSafeInteger(exp) || typeof iat !== "number" || !Number.isFinite(iat)) return undefined;
  const known = ROLES.find((candidate) => candidate === role);
  return known && { userId, role: known, jti, issuedAt: Math.round(iat * 1_000), expiresAt: exp };
}
