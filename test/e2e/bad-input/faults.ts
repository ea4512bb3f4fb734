import { randomUUID } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { expect } from "chai";
import type { Answer } from "../../support/http-client.ts";
import { SEEDED_PASSWORD } from "../../support/seed.ts";
import type { Shop } from "./shop.ts";

/** What the database does not know any more is a bug of ours, as far as the API can tell. */
export function faults(shop: Shop): void {
  describe("meets a bug of ours (46):", () => {
    const logFile = () => shop.sandbox.home.log("api");
    const withoutTable = async <T>(table: string, work: () => Promise<T>): Promise<T> => {
      await shop.sandbox.database.run("RENAME TABLE ?? TO ??", [table, `${table}_gone`]);
      try {
        return await work();
      } finally {
        await shop.sandbox.database.run("RENAME TABLE ?? TO ??", [`${table}_gone`, table]);
      }
    };
    /** The answer, and what the log has got of it. */
    const asked = async (table: string, ask: () => Promise<Answer>) => {
      const from = statSync(logFile()).size;
      const answer = await withoutTable(table, ask);
      return { answer, logged: readFileSync(logFile()).subarray(from).toString() };
    };
    const traced = (logged: string, { text }: Answer): void => {
      const { traceId } = JSON.parse(text) as { traceId: string };
      const lines = logged.trimEnd().split("\n");
      const told = lines.map((line) => JSON.parse(line) as { level: string; traceId?: string; msg: string });
      const bugs = told.filter(({ level }) => level === "error");
      expect(bugs.map((line) => [line.traceId, line.msg])).to.deep.equal([
        [traceId, "request failed: a bug"],
      ]);
    };

    it("a list answers 500 in general words, and the log tells more under the same trace", async () => {
      const { answer, logged } = await asked("settlements", () =>
        shop.http.get("/api/settlements", shop.buyer.token),
      );
      shop.refused(answer, 500, "internal");
      traced(logged, answer);
      expect(logged).not.to.contain(shop.buyer.token);
    });

    it("neither a sign-up nor a log-in leaves a password, its hash or a token behind", async () => {
      const username = `fault-${randomUUID().slice(0, 8)}`;
      const password = `Planted ${randomUUID()}`;
      const email = `${username}@example.com`;
      const bodies = [
        ["signup", { username, email, password }],
        ["login", { username: shop.buyer.username, password: SEEDED_PASSWORD }],
      ] as const;
      for (const [path, body] of bodies) {
        const { answer, logged } = await asked("users", () => shop.http.post(`/api/users/${path}`, body));
        shop.refused(answer, 500, "internal");
        traced(logged, answer);
        for (const secret of [password, SEEDED_PASSWORD, /\$2[aby]\$\d\d\$/, /eyJ[\w-]+\./])
          expect(logged).not.to.match(typeof secret === "string" ? new RegExp(secret) : secret);
      }
    });
  });
}
