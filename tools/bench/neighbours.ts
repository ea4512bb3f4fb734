import { randomBytes, randomUUID } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { hash } from "bcryptjs";
import type { ResultSetHeader, RowDataPacket } from "mysql2/promise";
import { createTokenIssuer } from "../../api/middleware/authenticate.ts";
import { toSqlInstant } from "../../shared/mysql/instant.ts";
import { openSlowSockets, type SlowSockets } from "../../test/support/slow-sockets.ts";
import { onlyOutcomes, requestsBeside, type Beside } from "./beside.ts";
import type { Tally } from "./client/plan.ts";
import type { Site } from "./site.ts";

/** What goes on beside orders in the scenarios: users who read and log in, and those who would rather harm. */

const BCRYPT_COST = 10;
const PEOPLE = 20;
const TOKEN_LIFE_S = 86_400;
const STATUS_CONNECTIONS = 128;
const LOGIN_CONNECTIONS = 16;
const SCRIPT_CONNECTIONS = 128;
const STATUS_ORDERS_MAX = 5_000;
/** A script opens what was closed again. */
const REOPEN_EVERY_MS = 1_000;
/** What the API gives a slow client: contract of the time-outs, with the second in which its sweep comes round. */
const SLOW_LIFE_MAX_MS = 15_000;

/** Log-ins of real accounts with real bcrypt hashes. */
export function logins(rate: number, seconds: number): Beside {
  return requestsBeside(
    "logins",
    async ({ site }) => {
      const password = randomBytes(12).toString("base64url");
      const names = await makePeople(site, password);
      return {
        ...{ connections: LOGIN_CONNECTIONS, pace: { kind: "open", rate, seconds } },
        requests: {
          ...{ method: "POST", paths: ["/api/users/login"], count: rate * seconds },
          bodies: names.map((username) => JSON.stringify({ username, password })),
        },
      };
    },
    onlyOutcomes("200"),
  );
}

/** Buyers who ask for their orders' status. The orders are those of the warm-up. */
export function statusReads(rate: number, seconds: number): Beside {
  return requestsBeside(
    "reads",
    async ({ site }) => {
      const [rows] = await site.database.query<RowDataPacket[]>(
        "SELECT id, user_id AS userId FROM orders ORDER BY id LIMIT ?",
        [STATUS_ORDERS_MAX],
      );
      const orders = rows as unknown as { id: string; userId: number }[];
      const file = writeTokens(
        site,
        "reads",
        orders.map(({ userId }) => userId),
      );
      return {
        ...{ connections: STATUS_CONNECTIONS, pace: { kind: "open", rate, seconds } },
        requests: {
          ...{ method: "GET", paths: orders.map(({ id }) => `/api/orders/${id}`), count: rate * seconds },
          tokens: { file, first: 0 },
        },
      };
    },
    onlyOutcomes("200"),
  );
}

/** One user's script, which orders as fast as it can. */
export function script(rate: number, seconds: number, ordersPerSecond: number): Beside {
  return requestsBeside(
    "script",
    async ({ site }, productIds) => {
      const [made] = await site.database.query<ResultSetHeader>(
        "INSERT INTO users (username, email, password_hash, role, created_at) VALUES (?, ?, '-', 'user', ?)",
        [...personOf("script"), toSqlInstant(Date.now())],
      );
      return {
        ...{ connections: SCRIPT_CONNECTIONS, pace: { kind: "open", rate, seconds } },
        requests: {
          ...{ method: "POST", paths: ["/api/orders"], count: rate * seconds, keyPrefix: "bench-script-" },
          bodies: productIds.map((productId) => JSON.stringify({ productId, quantity: 1 })),
          tokens: { file: writeTokens(site, "script", [made.insertId]), first: 0 },
        },
      };
    },
    (tally) => complaintsOfScript(tally, ordersPerSecond, seconds),
  );
}

/** The user gets the limit, and not more: one window's worth on top, for windows are not aligned with the load. */
function complaintsOfScript(
  { outcomes, answered, offered }: Tally,
  limit: number,
  seconds: number,
): string[] {
  const refused = outcomes["429 too_many_requests"] ?? 0;
  const letThrough = answered - refused;
  return [
    ...(letThrough > limit * (seconds + 1) ? [`${letThrough} requests were let through`] : []),
    ...(refused === 0 ? ["nothing was refused"] : []),
    ...(answered < offered ? [`${offered - answered} were not answered`] : []),
  ];
}

/** Sockets that send a byte of a request's head a second; one that was closed is opened again. */
export function slowSockets(count: number): Beside {
  return async (_bench, { addresses }) => {
    const url = `http://${addresses[0] ?? ""}`;
    const generations: SlowSockets[] = [await openSlowSockets(url, count)];
    const leaving = new AbortController();
    const keeping = keep();
    return {
      pids: [],
      async stop() {
        leaving.abort();
        await keeping;
        const longest = Math.max(...generations.map((sockets) => sockets.longestMs()));
        for (const sockets of generations) sockets.close();
        return {
          figures: { slow_sockets_opened: count * generations.length, slow_socket_life_max_ms: longest },
          accepted: 0,
          complaints: longest > SLOW_LIFE_MAX_MS ? [`a slow socket lived for ${Math.round(longest)} ms`] : [],
        };
      },
    };

    async function keep(): Promise<void> {
      while (!leaving.signal.aborted) {
        if (generations.at(-1)?.open() === 0) generations.push(await openSlowSockets(url, count));
        await delay(REOPEN_EVERY_MS, undefined, { signal: leaving.signal }).catch(() => undefined);
      }
    }
  };
}

async function makePeople({ database }: Site, password: string): Promise<string[]> {
  const passwordHash = await hash(password, BCRYPT_COST);
  const people = Array.from({ length: PEOPLE }, () => personOf("person"));
  const rows = people.map((person) => [...person, passwordHash, "user", toSqlInstant(Date.now())]);
  await database.query("INSERT INTO users (username, email, password_hash, role, created_at) VALUES ?", [
    rows,
  ]);
  return people.map(([username]) => username);
}

function personOf(kind: string): [username: string, email: string] {
  const username = `${kind}-${randomBytes(4).toString("hex")}`;
  return [username, `${username}@flashpay.invalid`];
}

function writeTokens({ temporary, jwtSecret }: Site, name: string, userIds: readonly number[]): string {
  const issuer = createTokenIssuer(jwtSecret, TOKEN_LIFE_S);
  const file = join(temporary, `tokens-${name}`);
  const lines = userIds.map((id) => `${issuer.issue({ id, role: "user", jti: randomUUID() }).accessToken}\n`);
  writeFileSync(file, lines.join(""), { mode: 0o600 });
  return file;
}
