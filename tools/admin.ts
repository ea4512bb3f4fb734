import { randomBytes } from "node:crypto";
import { createInterface } from "node:readline/promises";
import { text } from "node:stream/consumers";
import { parseArgs } from "node:util";
import { createPasswordHasher } from "../api/password-hasher.ts";
import { createUserRepository } from "../api/repositories/user-repository.ts";
import { signupBody } from "../api/controllers/schemas.ts";
import { StartRefused } from "../shared/config.ts";
import { DomainError } from "../shared/domain/errors.ts";
import { createSequelize } from "../shared/mysql/connection.ts";
import { defineModels } from "../shared/mysql/models.ts";
import { startProgram } from "../shared/start.ts";
import { toolMysqlSettings } from "./settings.ts";

const USAGE = `Usage: npm run admin -- create <username> [--email <address>] [--password-stdin] [--if-missing]
Makes an administrator. The password is asked for on a terminal, read from standard input with --password-stdin, and
generated and printed otherwise; there is no default.`;

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
  if (command !== "create" || !username || rest.length > 0) throw new StartRefused(USAGE);
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
