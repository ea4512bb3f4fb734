import { randomUUID } from "node:crypto";
import bcrypt from "bcryptjs";
import { createTokenIssuer } from "../../api/middleware/authenticate.ts";
import { toSqlInstant } from "../../shared/mysql/instant.ts";
import type { Database } from "./database.ts";

const ROWS_PER_INSERT = 1_000;
const TOKEN_LIFETIME_S = 3_600;
/** The cheapest there is: nobody is to guess it, and every test pays for it. */
const BCRYPT_COST = 4;
export const SEEDED_PASSWORD = "seeded horse battery";

export interface Person {
  readonly id: number;
  readonly username: string;
  readonly token: string;
}

let hash: string | undefined;

/** Accounts, straight into the table, all with SEEDED_PASSWORD, each with a token as a log-in would give it. */
export async function seedUsers(
  database: Database,
  jwtSecret: string,
  count: number,
  role: "user" | "admin" = "user",
): Promise<Person[]> {
  hash ??= await bcrypt.hash(SEEDED_PASSWORD, BCRYPT_COST);
  const { issue } = createTokenIssuer(jwtSecret, TOKEN_LIFETIME_S);
  const prefix = `${role}-${randomUUID().slice(0, 8)}`;
  const at = toSqlInstant(Date.now());
  const names = Array.from({ length: count }, (_, i) => `${prefix}-${i}`);
  for (let i = 0; i < count; i += ROWS_PER_INSERT) {
    const rows = names.slice(i, i + ROWS_PER_INSERT);
    await database.run("INSERT INTO users (username, email, password_hash, role, created_at) VALUES ?", [
      rows.map((name) => [name, `${name}@example.com`, hash, role, at]),
    ]);
  }
  const rows = await database.rows<{ id: number; username: string }>(
    "SELECT id, username FROM users WHERE username LIKE ? ORDER BY id",
    [`${prefix}-%`],
  );
  return rows.map(({ id, username }) => ({
    id,
    username,
    token: issue({ id, role, jti: randomUUID() }).accessToken,
  }));
}
