import { createSecretKey } from "node:crypto";
import type { RequestHandler } from "express";
import jwt from "jsonwebtoken";
import passport from "passport";
import { ExtractJwt, Strategy, type VerifiedCallback } from "passport-jwt";
import { DomainError } from "../../shared/domain/errors.ts";
import type { Revocations } from "../../shared/domain/ports.ts";
import { ROLES, type Principal, type Role } from "../../shared/domain/user.ts";
import type { TokenIssuer } from "../services/account-service.ts";
import { principalOf, setPrincipal } from "../request-context.ts";

const ALGORITHM = "HS256";
const ISSUER = "flashpay";
const AUDIENCE = "flashpay-api";

export function createTokenIssuer(secret: string, expiresInS: number): TokenIssuer {
  const key = createSecretKey(Buffer.from(secret));
  return {
    issue: ({ id, role, jti }) => ({
      accessToken: jwt.sign({ role }, key, {
        algorithm: ALGORITHM,
        subject: String(id),
        jwtid: jti,
        issuer: ISSUER,
        audience: AUDIENCE,
        expiresIn: expiresInS,
      }),
      expiresInS,
    }),
  };
}

/** The guard of every route that needs a user: a bearer token of ours, unexpired, not revoked (RFC 6750). */
export function createAuthenticate(
  secret: string,
  revocations: Pick<Revocations, "isRevoked">,
): RequestHandler {
  const strategy = new Strategy(
    {
      jwtFromRequest: ExtractJwt.fromAuthHeaderAsBearerToken(),
      // A KeyObject, not text: passport-jwt tries to read text as a public key first, 0.3 ms a request. Its types
      // know text and bytes only.
      secretOrKey: createSecretKey(Buffer.from(secret)) as unknown as Buffer,
      algorithms: [ALGORITHM],
      issuer: ISSUER,
      audience: AUDIENCE,
    },
    (claims: unknown, done: VerifiedCallback) => {
      const principal = toPrincipal(claims);
      done(null, principal && !revocations.isRevoked(principal.jti) ? principal : false);
    },
  );
  return (req, res, next) => {
    const verify = passport.authenticate(
      strategy,
      { session: false },
      (error: unknown, principal: Principal | false | null) => {
        if (error || !principal) {
          next(new DomainError("unauthenticated", "A valid access token is required."));
          return;
        }
        setPrincipal(req, principal);
        next();
      },
    ) as RequestHandler;
    void verify(req, res, next);
  };
}

export function requireRole(role: Role): RequestHandler {
  return (req, _res, next) => {
    if (principalOf(req).role !== role) throw new DomainError("forbidden", "Your role does not allow this.");
    next();
  };
}

/** A token that verifies and lacks what ours have is not ours: no expiry, a made-up role, a broken subject. */
function toPrincipal(claims: unknown): Principal | undefined {
  const { sub, role, jti, exp } = claims as Record<string, unknown>;
  const userId = typeof sub === "string" && /^[1-9]\d{0,15}$/.test(sub) ? Number(sub) : Number.NaN;
  if (!Number.isSafeInteger(userId) || typeof jti !== "string" || jti === "" || typeof exp !== "number")
    return undefined;
  if (!Number.isSafeInteger(exp)) return undefined;
  const known = ROLES.find((candidate) => candidate === role);
  return known && { userId, role: known, jti, expiresAt: exp };
}
