import { randomBytes, randomUUID } from "node:crypto";
import { closeSync, openSync, writeSync } from "node:fs";
import { hash } from "bcryptjs";
import type { Connection, RowDataPacket } from "mysql2/promise";
import { createTokenIssuer } from "../../api/middleware/authenticate.ts";
import { toSqlInstant } from "../../shared/mysql/instant.ts";

const ROWS_PER_INSERT = 1_000;
const BCRYPT_COST = 10;
/** Longer than the longest run. */
const TOKEN_LIFE_S = 2 * 86_400;
const NAME_BYTES = 4;

/**
 * Puts accounts straight into the database: signing up and logging in thirty thousand buyers costs an hour of bcrypt, and is
 * not what is measured. They share one hash of a password that nobody has ever seen, so nobody can log in as one of them.
 */
export async function seedBuyers(database: Connection, count: number): Promise<number[]> {
  const family = `load-${randomBytes(NAME_BYTES).toString("hex")}`;
  const passwordHash = await hash(randomBytes(32).toString("base64url"), BCRYPT_COST);
  const createdAt = toSqlInstant(Date.now());
  for (let first = 0; first < count; first += ROWS_PER_INSERT) {
    const rows = Array.from({ length: Math.min(ROWS_PER_INSERT, count - first) }, (_, index) => {
      const username = `${family}-${String(first + index)}`;
      return [username, `${username}@flashpay.invalid`, passwordHash, "user", createdAt];
    });
    await database.query("INSERT INTO users (username, email, password_hash, role, created_at) VALUES ?", [
      rows,
    ]);
  }
  const [rows] = await database.query<RowDataPacket[]>(
    "SELECT id FROM users WHERE username LIKE ? ORDER BY id",
    [`${family}-%`],
  );
  return rows.map(({ id }) => Number(id));
}

/** Signs what log-in would have answered each of them. */
export function issueTokens(
  userIds: readonly number[],
  jwtSecret: string,
): { userId: number; token: string }[] {
  const issuer = createTokenIssuer(jwtSecret, TOKEN_LIFE_S);
  return userIds.map((id) => ({
    userId: id,
    token: issuer.issue({ id, role: "user", jti: randomUUID() }).accessToken,
  }));
}

/** The file that the plan reads. Tokens open accounts: for the owner's eyes only. */
export function writeBuyers(path: string, buyers: readonly { userId: number; token: string }[]): void {
  const file = openSync(path, "w", 0o600);
  try {
    writeSync(file, "userId,token\n");
    for (let first = 0; first < buyers.length; first += ROWS_PER_INSERT) {
      const lines = buyers.slice(first, first + ROWS_PER_INSERT);
      writeSync(file, lines.map(({ userId, token }) => `${String(userId)},${token}\n`).join(""));
    }
  } finally {
    closeSync(file);
  }
}
