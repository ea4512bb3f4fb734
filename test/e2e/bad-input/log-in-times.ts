import { randomUUID } from "node:crypto";
import { expect } from "chai";
import { problemOf } from "../../support/bodies.ts";
import { cases } from "../../../shared/testing/cases.ts";
import type { Shop } from "./shop.ts";

/** bad-inputs asks for 200 tries of each kind and 10 %: `npm run test:long`. Fewer tries know less exactly. */
const TRIES = Math.min(cases(14), 200);
const DIFFERENCE_MAX = TRIES === 200 ? 0.1 : 0.25;
/** Of one try, on a busy machine. */
const TRY_MS = 1_500;

export function logInTimes(shop: Shop): void {
  it("a wrong password and an unknown user sound the same, and take as long (37)", async function () {
    this.timeout(10_000 + 2 * TRIES * TRY_MS);
    const username = `timed-${randomUUID().slice(0, 8)}`;
    const account = { username, email: `${username}@example.com`, password: "correct horse battery" };
    await shop.http.post("/api/users/signup", account);
    const times: [number[], number[]] = [[], []];
    const bodies = new Set<string>();
    for (let i = 0; i < TRIES; i += 1) {
      // In turn: what the machine does beside it meets both.
      for (const [kind, name] of [username, `nobody-${i}`].entries()) {
        const wrong = { username: name, password: "wrong password" };
        const answer = await shop.http.post("/api/users/login", wrong);
        shop.refused(answer, 401, "unauthenticated");
        bodies.add(JSON.stringify({ ...problemOf(answer), traceId: "" }));
        times[kind]?.push(answer.ms);
      }
    }
    expect(bodies.size).to.equal(1);
    const [known, unknown] = times.map(median) as [number, number];
    process.stdout.write(`      medians of ${TRIES}: ${known.toFixed(1)} and ${unknown.toFixed(1)} ms\n`);
    expect(Math.abs(known - unknown) / known, `${known} and ${unknown} ms`).to.be.lessThan(DIFFERENCE_MAX);
  });
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}
