import { randomBytes } from "node:crypto";
import { createInterface } from "node:readline/promises";
import { text } from "node:stream/consumers";
import { parseArgs } from "node:util";
import { createPasswordHasher } from "../api/password-hasher.ts";
import { createUserRepository } from "../api/repositories/user-repository.ts";
import { signupBody } from "../api/controllers/schemas.ts";
import { StartRefused } from "../shared/config.ts";
import { DomainError } from "../shared/domain/errors.ts";
import { createLogger } from "../shared/logger.ts";
import { createSequelize } from "../shared/mysql/connection.ts";
import { defineModels } from "../shared/mysql/models.ts";
import { connectRedis } from "../shared/redis/client.ts";
import { createRevocationList } from "../shared/redis/revocations.ts";
import { reach, startProgram } from "../shared/start.ts";
import { toolAccountSettings, toolMysqlSettings } from "./settings.ts";

const USAGE = `Usage: npm run admin -- create <username> [--email <address>] [--password-stdin] [--if-missing]
Makes an administrator. The password is asked for on a terminal, read from standard input with --password-stdin, and
generated and printed otherwise; there is no default.

       npm run admin -- revoke <username>
Ends every access token that the account was given until now, on every API process within a second.`;

const STATEMENT_TIMEOUT_MS = 10_000;

await startProgram(main);

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      email: { type: "string" },
      "password-stdin": { type: "boolean", default: false },
      "if-missing": { type: "boolean", default: false },
    },
  });
  const [command, username, ...rest] = positionals;
  if (!username || rest.length > 0) throw new StartRefused(USAGE);
  if (command === "create") await create(username, values);
  else if (command === "revoke") await revoke(username);
  else throw new StartRefused(USAGE);
}

interface CreateFlags {
  readonly email?: string | undefined;
  readonly "password-stdin": boolean;
  readonly "if-missing": boolean;
}

async function create(username: string, values: CreateFlags): Promise<void> {
  const settings = toolMysqlSettings();
  const { password, generated } = await choosePassword(values["password-stdin"]);
  const account = accountOf(username, values.email ?? `${username.toLowerCase()}@flashpay.invalid`, password);

  const sequelize = createSequelize(settings, STATEMENT_TIMEOUT_MS);
  const passwords = createPasswordHasher();
  try {
    const users = createUserRepository(defineModels(sequelize), () => Date.now());
    const passwordHash = await passwords.hash(account.password);
    const user = await users.insert({
      username: account.username,
      email: account.email,
      passwordHash,
      role: "admin",
    });
    console.log(
      `Administrator ${user.username} (id ${user.id}) created.${generated ? ` Password: ${password}` : ""}`,
    );
  } catch (error) {
    if (!(error instanceof DomainError)) throw error;
    if (!/_taken$/.test(error.code) || !values["if-missing"]) throw new StartRefused(error.message);
    console.log(`Administrator ${username} exists; nothing was changed.`);
  } finally {
    await passwords.close();
    await sequelize.close();
  }
}

async function revoke(username: string): Promise<void> {
  const settings = toolAccountSettings();
  const log = createLogger("admin", "silent");
  const sequelize = createSequelize(settings, STATEMENT_TIMEOUT_MS);
  try {
    const users = createUserRepository(defineModels(sequelize), () => Date.now());
    const user = await users.findByLogin({ username });
    // The database's collation takes other spellings for the same name; whose tokens end must be beyond doubt.
    if (user?.username.toLowerCase() !== username.toLowerCase())
      throw new StartRefused(`There is no account ${username}.`);
    const redis = await reach("REDIS_URL", "Redis", () =>
      connectRedis({ url: settings.REDIS_URL, name: "flashpay-admin", onError: () => undefined }),
    );
    // It is not started: how long a token lives matters to those who read the list.
    await createRevocationList(redis, 0, log).revokeAll(user.id, Date.now());
    await redis.quit();
    console.log(`All tokens of ${user.username} (id ${user.id}) have ended.`);
  } finally {
    await sequelize.close();
  }
}

/** The rules of sign-up hold for administrators, too. */
function accountOf(username: string, email: string, password: string) {
  const result = signupBody.validate({ username, email, password }, { abortEarly: false });
  if (result.error) throw new StartRefused(`Not created: ${result.error.message}.`);
  return result.value;
}

async function choosePassword(fromStdin: boolean): Promise<{ password: string; generated: boolean }> {
  if (fromStdin) return { password: (await text(process.stdin)).replace(/\r?\n$/, ""), generated: false };
  if (!process.stdin.isTTY) return { password: randomBytes(18).toString("base64url"), generated: true };
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  const answer = await terminal.question("Password (empty: one is generated): ");
  terminal.close();
  return answer === ""
    ? { password: randomBytes(18).toString("base64url"), generated: true }
    : { password: answer, generated: false };
}
