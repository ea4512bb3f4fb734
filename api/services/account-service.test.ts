import { expect } from "chai";
import { DomainError } from "../../shared/domain/errors.ts";
import { createFakeClock } from "../../shared/testing/clock.ts";
import { createFakeDatabase } from "../../shared/testing/database.ts";
import { createFakeRevocations } from "../../shared/testing/fakes.ts";
import { createLogRecorder } from "../../shared/testing/log.ts";
import { createAccountService } from "./account-service.ts";

const NOW = 1_800_000_000_000;
const MINA = { username: "mina.kim", email: "mina@example.com", password: "correct horse" };

function createScene() {
  const database = createFakeDatabase(createFakeClock().now);
  const revocations = createFakeRevocations();
  const log = createLogRecorder();
  const compared: (string | undefined)[] = [];
  const counted: string[] = [];
  const remembered: string[] = [];
  const hasher = { busy: false };
  const work = () => {
    if (hasher.busy) throw new DomainError("not_ready", "Too many log-ins are waiting.");
  };
  const spent = new Set<string>();
  const check = async (...names: string[]) => {
    if (names.some((name) => spent.has(name))) throw new DomainError("too_many_requests", "Slow down.");
  };
  const accounts = createAccountService({
    users: database.users,
    passwords: {
      hash: async (password) => {
        work();
        return `hash of ${password}`;
      },
      matches: async (password, hash) => {
        work();
        compared.push(hash);
        return hash === `hash of ${password}`;
      },
    },
    tokens: { issue: ({ id, role, jti }) => ({ accessToken: `${id}:${role}:${jti}`, expiresInS: 1_800 }) },
    revocations,
    attempts: {
      startLogin: async (account, address) => {
        await check(account, address);
        counted.push(account, address);
        const giveBack = async () => void counted.splice(counted.lastIndexOf(account), 2);
        return { succeeded: giveBack, undone: giveBack };
      },
      startSignup: async (address) => {
        await check(address);
        counted.push(address);
        const giveBack = async () => void counted.splice(counted.lastIndexOf(address), 1);
        return {
          succeeded: async (account) => {
            remembered.push(`${account} ${address}`);
            await giveBack();
          },
          undone: giveBack,
        };
      },
    },
    disguise: (name) => `n${name.length}`,
    log,
    now: () => NOW,
  });
  return { accounts, database, revocations, log, compared, counted, remembered, hasher, spent };
}

async function errorOf(work: Promise<unknown>): Promise<DomainError> {
  const error: unknown = await work.catch((thrown: unknown) => thrown);
  if (error instanceof DomainError) return error;
  throw new Error("it was not refused");
}

describe("signing up", () => {
  it("makes a user, never an administrator, and keeps a hash instead of the password", async () => {
    const { accounts, database } = createScene();
    const user = await accounts.signUp(MINA, "1.1.1.1");
    expect(user).to.include({ username: "mina.kim", email: "mina@example.com", role: "user" });
    expect(user).not.to.have.property("passwordHash");
    expect(database.tables.users.get(user.id)?.passwordHash).to.equal("hash of correct horse");
  });

  it("makes its address known as one of the account, and costs it no try", async () => {
    const { accounts, counted, remembered } = createScene();
    const { id } = await accounts.signUp(MINA, "1.1.1.1");
    expect(remembered).to.deep.equal([`id:${id} 1.1.1.1`]);
    expect(counted).to.deep.equal([]);
  });

  it("with a name or an address that is taken says which, and counts as a try of that address", async () => {
    const { accounts, counted } = createScene();
    await accounts.signUp(MINA, "1.1.1.1");
    const name = accounts.signUp({ ...MINA, username: "MINA.KIM", email: "b@example.com" }, "2.2.2.2");
    expect((await errorOf(name)).code).to.equal("username_taken");
    const address = accounts.signUp({ ...MINA, username: "other" }, "2.2.2.2");
    expect((await errorOf(address)).code).to.equal("email_taken");
    expect(counted).to.deep.equal(["2.2.2.2", "2.2.2.2"]);
  });

  it("is refused before the costly hash once the address has tried too often", async () => {
    const { accounts, spent, database } = createScene();
    spent.add("1.1.1.1");
    expect((await errorOf(accounts.signUp(MINA, "1.1.1.1"))).code).to.equal("too_many_requests");
    expect(database.tables.users.size).to.equal(0);
  });
});

describe("a password that nobody could look at", () => {
  it("is no try: neither of the account nor of the address, nor of its sign-ups", async () => {
    const { accounts, counted, hasher } = createScene();
    await accounts.signUp(MINA, "a");
    hasher.busy = true;
    const login = accounts.logIn({ username: "mina.kim" }, "correct horse", "b");
    expect((await errorOf(login)).code).to.equal("not_ready");
    const signup = accounts.signUp({ ...MINA, username: "other", email: "o@example.com" }, "b");
    expect((await errorOf(signup)).code).to.equal("not_ready");
    expect(counted).to.deep.equal([]);
  });
});

describe("logging in", () => {
  it("with the name in any case, or with the address, gives a token of its own each time", async () => {
    const { accounts } = createScene();
    await accounts.signUp(MINA, "a");
    const tokens = [
      await accounts.logIn({ username: "MINA.kim" }, "correct horse", "a"),
      await accounts.logIn({ email: "mina@example.com" }, "correct horse", "a"),
    ].map(({ accessToken }) => accessToken);
    expect(tokens.every((token) => token.startsWith("1:user:"))).to.equal(true);
    expect(new Set(tokens).size).to.equal(2);
  });

  it("answers the same to an unknown user and to a wrong password, after the same work", async () => {
    const { accounts, compared } = createScene();
    await accounts.signUp(MINA, "a");
    const wrong = await errorOf(accounts.logIn({ username: "mina.kim" }, "wrong", "a"));
    const unknown = await errorOf(accounts.logIn({ username: "nobody" }, "wrong", "a"));
    expect([unknown.code, unknown.message, unknown.details]).to.deep.equal([
      wrong.code,
      wrong.message,
      wrong.details,
    ]);
    expect(wrong.code).to.equal("unauthenticated");
    expect(compared).to.deep.equal(["hash of correct horse", undefined]);
  });

  it("counts wrong tries by account, whatever the case of its name, and right ones not at all", async () => {
    const { accounts, counted } = createScene();
    await accounts.signUp(MINA, "a");
    await accounts.logIn({ username: "mina.kim" }, "correct horse", "a");
    for (const username of ["mina.kim", "Mina.Kim", "nobody"])
      await errorOf(accounts.logIn({ username }, "wrong", "b"));
    expect(counted).to.deep.equal(["id:1", "b", "id:1", "b", "name:nobody", "b"]);
  });

  it("shares its tries between the user name and the e-mail of an account", async () => {
    const { accounts, counted } = createScene();
    await accounts.signUp(MINA, "a");
    await errorOf(accounts.logIn({ username: "mina.kim" }, "wrong", "b"));
    await errorOf(accounts.logIn({ email: "mina@example.com" }, "wrong", "b"));
    expect(counted).to.deep.equal(["id:1", "b", "id:1", "b"]);
  });

  it("takes a name that only the database's collation holds for the same as unknown", async () => {
    const { accounts, database } = createScene();
    const user = await accounts.signUp(MINA, "a");
    const stored = database.tables.users.get(user.id) ?? null;
    database.users.findByLogin = () => Promise.resolve(stored);
    for (const username of ["mina.kim ", "mína.kim"]) {
      const error = await errorOf(accounts.logIn({ username }, "correct horse", "b"));
      expect(error.code).to.equal("unauthenticated");
    }
  });

  it("is refused without looking at the password once the account was tried too often", async () => {
    const { accounts, spent, compared } = createScene();
    await accounts.signUp(MINA, "a");
    spent.add("id:1");
    const refused = await errorOf(accounts.logIn({ username: "mina.kim" }, "correct horse", "a"));
    expect([refused.code, compared.length]).to.deep.equal(["too_many_requests", 0]);
  });

  it("that fails is told to the log: which account, in disguise, and in which request", async () => {
    const { accounts, log } = createScene();
    await accounts.signUp(MINA, "a");
    for (const username of ["Mina.Kim", "mina.kim", "correct horse"])
      await errorOf(accounts.logIn({ username }, "wrong", "a", "trace-1"));
    const lines = log.lines.filter(({ message }) => message === "log-in refused");
    const accountsTold = lines.map(({ fields }) => (fields as { account: string }).account);
    expect(lines.map(({ fields }) => (fields as { traceId: string }).traceId)).to.deep.equal(
      Array<string>(3).fill("trace-1"),
    );
    expect(accountsTold[0]).to.equal(accountsTold[1]).and.not.to.equal(accountsTold[2]);
    expect(JSON.stringify(lines)).not.to.match(/mina|correct horse/i);
  });

  it("writes neither password nor token to the log", async () => {
    const { accounts, log } = createScene();
    await accounts.signUp(MINA, "a");
    const { accessToken } = await accounts.logIn({ username: "mina.kim" }, "correct horse", "a");
    const text = JSON.stringify(log.lines);
    expect(text).not.to.include("correct horse");
    expect(text).not.to.include(accessToken);
  });
});

describe("logging out", () => {
  const principal = { userId: 1, role: "user", jti: "j1", issuedAt: 0, expiresAt: 99 } as const;

  it("revokes the token until it would have run out", async () => {
    const { accounts, revocations } = createScene();
    await accounts.logOut(principal);
    expect(revocations.revoked).to.deep.equal(new Map([["j1", 99]]));
  });

  it("never claims success when the revocation is not stored", async () => {
    for (const way of ["logOut", "logOutEverywhere"] as const) {
      const { accounts, revocations } = createScene();
      revocations.faults.fail("revoke");
      expect((await errorOf(accounts[way](principal))).code, way).to.equal("not_ready");
    }
  });

  it("everywhere ends all tokens that the user has been given until now, the asking one too", async () => {
    const { accounts, revocations } = createScene();
    await accounts.logOutEverywhere(principal);
    expect(revocations.ended).to.deep.equal(new Map([[1, NOW]]));
    const ahead = { ...principal, issuedAt: NOW + 500 };
    await accounts.logOutEverywhere(ahead);
    expect(revocations.isRevoked(ahead)).to.equal(true);
    expect(revocations.isRevoked({ ...principal, userId: 2 })).to.equal(false);
  });
});

describe("the own account", () => {
  it("is unauthenticated when it no longer exists", async () => {
    const { accounts } = createScene();
    const gone = { userId: 5, role: "user", jti: "j", issuedAt: 0, expiresAt: 0 } as const;
    expect((await errorOf(accounts.me(gone))).code).to.equal("unauthenticated");
  });
});
