import { createSecretKey } from "node:crypto";
import type { RequestHandler } from "express";
import passport from "passport";
import { ExtractJwt, Strategy, type VerifiedCallback } from "passport-jwt";

/** passport-jwt with the secret as a key object; puts `{ id }` into req.user. */
export function tokenCheck(secret: string): RequestHandler {
  const key = createSecretKey(Buffer.from(secret));
  passport.use(
    new Strategy(
      {
        jwtFromRequest: ExtractJwt.fromAuthHeaderAsBearerToken(),
        secretOrKey: key as unknown as Buffer, // its types know text and bytes only
        algorithms: ["HS256"],
      },
      (claims: { sub: string }, done: VerifiedCallback) => {
        done(null, { id: claims.sub });
      },
    ),
  );
  return passport.authenticate("jwt", { session: false }) as RequestHandler;
}

export function userIdOf(req: { user?: unknown }): string {
  return (req.user as { id: string }).id;
}
