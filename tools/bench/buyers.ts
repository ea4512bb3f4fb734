import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { writeFileSync } from "node:fs";
import type { ResultSetHeader } from "mysql2/promise";
import { createTokenIssuer } from "../../api/middleware/authenticate.ts";
import { toSqlInstant } from "../../shared/mysql/instant.ts";
import { seedBuyers } from "../jmeter/buyers.ts";
import type { Site } from "./site.ts";

/** Longer than the longest bench. */
const TOKEN_LIFE_S = 2 * 86_400;
const TOKENS_PER_WRITE = 10_000;

export interface Buyers {
  /** One token a line, readable by its owner only; it goes with the temporary folder. */
  readonly file: string;
  readonly count: number;
  readonly admin: string;
}

/** Accounts put straight into the database, and the tokens that log-in would have given them. */
export async function prepareBuyers(site: Site, count: number): Promise<Buyers> {
  const { database, jwtSecret, temporary, report } = site;
  const ids = await seedBuyers(database, count);
  const issuer = createTokenIssuer(jwtSecret, TOKEN_LIFE_S);
  const tokenOf = (id: number, role: "user" | "admin"): string =>
    issuer.issue({ id, role, jti: randomUUID() }).accessToken;
  const file = join(temporary, "tokens");
  writeFileSync(file, "", { mode: 0o600 });
  for (let first = 0; first < ids.length; first += TOKENS_PER_WRITE) {
    const lines = ids.slice(first, first + TOKENS_PER_WRITE).map((id) => `${tokenOf(id, "user")}\n`);
    writeFileSync(file, lines.join(""), { flag: "a" });
  }
  const [made] = await database.query<ResultSetHeader>(
    "INSERT INTO users (username, email, password_hash, role, created_at) VALUES (?, ?, ?, 'admin', ?)",
    // No bcrypt hash: nobody can log in with it.
    ["bench-admin", "bench-admin@flashpay.invalid", "-", toSqlInstant(Date.now())],
  );
  report(`${count} buyers have accounts and tokens`);
  return { file, count, admin: tokenOf(made.insertId, "admin") };
}
