import { expect } from "chai";
import { keys } from "../../../shared/redis/keys.ts";
import type { Program } from "../../../tools/stack/programs.ts";
import { codeOf, problemOf, type SaleBody } from "../../support/bodies.ts";
import type { Answer, Ask, HttpClient } from "../../support/http-client.ts";
import { openSandbox, type Person, type Sandbox } from "../../support/sandbox.ts";

/** What a busy machine may make of one answer, one that had to wait for a password above all; of all, see `refusalTimes`. */
const ANSWER_MS = 5_000;
const WRONG_LOG_IN = "User name, e-mail or password is wrong.";
const HASHED = new Set(["username_taken", "email_taken"]);
const TABLES = ["users", "products", "orders", "settlements", "dead_letters", "admin_audit"];

/** What no answer may tell: code, places, statements, names of parts. */
export const INSIDE =
  /node_modules|\n\s+at |\.[jt]s:\d|\/work\/|\bstack\b|SELECT |INSERT |ER_[A-Z]|errno|sequelize|mysql|maria|redis|kafka|express|\bjoi\b|ValidationError|SyntaxError|TypeError|Unexpected token|\[object/i;

export const AS_JSON = { "Content-Type": "application/json" };

/** The real API with one open sale, and two buyers. Groups of tests share it; it is filled before the first of them. */
export interface Shop {
  sandbox: Sandbox;
  api: Program;
  http: HttpClient;
  buyer: Person;
  other: Person;
  sale: SaleBody;
  /** All that an order or an account could leave behind, as text that can be compared. */
  stateNow: () => Promise<string>;
  /** Expects a refusal of contract §1 that tells nothing of what is inside. */
  refused: (answer: Answer, status: number, code: string) => void;
  /** How long each refusal took that had no password to hash, ms. */
  refusalTimes: number[];
  /** What the buyer hears for this order. */
  order: (body: Ask["body"], headers?: Ask["headers"]) => Promise<Answer>;
}

export async function openShop(): Promise<Shop> {
  const sandbox = await openSandbox();
  const api = await sandbox.start("api", { env: { LOG_LEVEL: "info" } });
  const http = sandbox.client(api);
  const [buyer, other] = (await sandbox.users(2)) as [Person, Person];
  const sale = await sandbox.openSale(http, { stock: 1_000, perUserLimit: 2 });
  const refusalTimes: number[] = [];
  return {
    ...{ sandbox, api, http, buyer, other, sale, refusalTimes },
    refused(answer, status, code) {
      const { detail } = refused(answer, status, code);
      if (detail !== WRONG_LOG_IN && !HASHED.has(code)) refusalTimes.push(answer.ms);
    },
    stateNow: () => stateOf(sandbox, sale),
    order: (body, headers = {}) =>
      http.send("POST", "/api/orders", { token: buyer.token, ...(body !== undefined && { body }), headers }),
  };
}

async function stateOf(sandbox: Sandbox, { id }: SaleBody): Promise<string> {
  const rows = TABLES.map((table) => sandbox.database.count("SELECT COUNT(*) FROM ??", [table]));
  const left = await sandbox.redis.hget(keys.stock(id), "left");
  const pending = await sandbox.redis.hlen(keys.reservations(id));
  return JSON.stringify([left, pending, await Promise.all(rows), await sandbox.ends()]);
}

function refused(answer: Answer, status: number, code: string): ReturnType<typeof problemOf> {
  const said = `${answer.status} ${answer.text}`;
  expect([answer.status, codeOf(answer)], said).to.deep.equal([status, code]);
  expect(answer.headers["content-type"]).to.match(/^application\/problem\+json/);
  expect(answer.text).not.to.match(INSIDE);
  const problem = problemOf(answer);
  expect(problem).to.include({ success: false, status, type: `urn:flashpay:problem:${code}` });
  expect(problem.title).to.match(/^[A-Z]/);
  expect(problem.detail).to.be.a("string").and.not.equal("");
  expect(problem.traceId).to.match(/^[0-9a-f]{32}$/);
  for (const { pointer, detail } of problem.errors ?? []) {
    expect(pointer).to.match(/^(#?\/|$)/);
    expect(detail).to.be.a("string");
  }
  expect(answer.ms, "ms").to.be.lessThan(ANSWER_MS);
  return problem;
}
