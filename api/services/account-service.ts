import { randomUUID } from "node:crypto";
import { DomainError } from "../../shared/domain/errors.ts";
import type { Log, Revocations, UserRepository } from "../../shared/domain/ports.ts";
import type { Principal, User } from "../../shared/domain/user.ts";

/** Hashes and compares off the event loop. @throws DomainError not_ready when too many wait already */
export interface PasswordHasher {
  hash(password: string): Promise<string>;
  /** Without a hash (unknown user) it takes as long as with one, and says no. */
  matches(password: string, hash: string | undefined): Promise<boolean>;
}

export interface TokenIssuer {
  issue(user: { id: number; role: User["role"]; jti: string }): { accessToken: string; expiresInS: number };
}

/** One try to log in, counted from its start. A wrong one calls neither: its count stays. */
export interface LoginTry {
  /** Takes the try back: a right password costs its owner nothing. */
  succeeded(): Promise<void>;
  /** Takes it back, too: nobody has looked at its password. */
  undone(): Promise<void>;
}

/** The same of a sign-up; one under a name that is taken counts. */
export interface SignupTry {
  /** @param account whose first address this is */
  succeeded(account: string): Promise<void>;
  undone(): Promise<void>;
}

/** Counts wrong tries by account and by address, and what passwords cost by address. @throws DomainError too_many_requests */
export interface AttemptLimits {
  /** Counts the try at once, so that parallel tries cannot all come before the first count. */
  startLogin(account: string, address: string): Promise<LoginTry>;
  startSignup(address: string): Promise<SignupTry>;
}

export interface AccountServiceDependencies {
  readonly users: UserRepository;
  readonly passwords: PasswordHasher;
  readonly tokens: TokenIssuer;
  readonly revocations: Revocations;
  readonly attempts: AttemptLimits;
  /** What the log calls a name that somebody tried: people type their password in its place, so nobody may guess it. */
  readonly disguise: (name: string) => string;
  readonly log: Log;
  readonly now: () => number;
}

export type AccountService = ReturnType<typeof createAccountService>;
export type Login = { readonly username: string } | { readonly email: string };

export function createAccountService(dependencies: AccountServiceDependencies) {
  const { users, passwords, tokens, revocations, attempts, disguise, log, now } = dependencies;
  return { signUp, logIn, logOut, logOutEverywhere, me };

  async function signUp(
    input: { readonly username: string; readonly email: string; readonly password: string },
    address: string,
  ): Promise<User> {
    const attempt = await attempts.startSignup(address);
    try {
      const passwordHash = await passwords.hash(input.password);
      const { username, email } = input;
      const user = await users.insert({ username, email, passwordHash, role: "user" });
      await attempt.succeeded(accountOf(user));
      return user;
    } catch (error) {
      if (!(error instanceof DomainError && /_taken$/.test(error.code))) await attempt.undone();
      throw error;
    }
  }

  async function logIn(login: Login, password: string, address: string, traceId?: string) {
    const name = ("username" in login ? login.username : login.email).toLowerCase();
    const found = await users.findByLogin(login);
    // The database's collation also takes trailing spaces and accents for the same name: each would be fresh tries.
    const stored = "username" in login ? found?.username.toLowerCase() : found?.email;
    const user = stored === name ? found : null;
    // By account, so that its user name and its e-mail share their tries.
    const attempt = await attempts.startLogin(user ? accountOf(user) : `name:${name}`, address);
    const isRight = await passwords.matches(password, user?.passwordHash).catch(async (error: unknown) => {
      await attempt.undone();
      throw error;
    });
    if (!isRight || !user) {
      log.info({ account: disguise(name), known: user !== null, traceId }, "log-in refused");
      throw new DomainError("unauthenticated", "User name, e-mail or password is wrong.");
    }
    await attempt.succeeded();
    log.info({ userId: user.id, traceId }, "logged in");
    return tokens.issue({ id: user.id, role: user.role, jti: randomUUID() });
  }

  async function logOut({ jti, expiresAt, userId }: Principal, traceId?: string): Promise<void> {
    await revocations.revoke(jti, expiresAt).catch(notLoggedOut);
    log.info({ userId, traceId }, "logged out");
  }

  /** The token that asks is among those that end, whatever the clocks of two machines say. */
  async function logOutEverywhere({ userId, issuedAt }: Principal, traceId?: string): Promise<void> {
    await revocations.revokeAll(userId, Math.max(now(), issuedAt)).catch(notLoggedOut);
    log.info({ userId, traceId }, "logged out everywhere");
  }

  async function me({ userId }: Principal): Promise<User> {
    const user = await users.findById(userId);
    if (!user) throw new DomainError("unauthenticated", "This account no longer exists.");
    return user;
  }
}

const accountOf = ({ id }: Pick<User, "id">): string => `id:${id}`;

function notLoggedOut(cause: unknown): never {
  throw new DomainError(
    "not_ready",
    "Logging out is not possible right now. Try again shortly.",
    { retryAfterS: 1 },
    { cause },
  );
}
