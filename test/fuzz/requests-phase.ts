import fc from "fast-check";
import { keys } from "../../shared/redis/keys.ts";
import { codeOf, orderOf } from "../support/bodies.ts";
import { inParallel, NoAnswer, type Answer } from "../support/http-client.ts";
import type { Samples } from "./memory.ts";
import { residentBytes, type FuzzSite, type FuzzWish } from "./site.ts";
import { operationsOf } from "./operations.ts";
import { fuzzedRequests, type FuzzedRequest } from "./requests.ts";

const AT_ONCE = 16;
const BATCH = 500;
const SPARE_TOKENS = 40;

/** What a batch of requests may have changed, by what it heard: what was refused has changed nothing. */
interface Changes {
  users: number;
  products: number;
  orders: number;
  /** Whose answer did not come, or did not tell: each may have become an order. */
  doubtful: number;
  units: number;
}

/** @returns the API's resident bytes after each batch */
export async function fuzzRequests(site: FuzzSite, { seed, requests, report }: FuzzWish): Promise<Samples> {
  const { sandbox, buyers, sale, api } = site;
  const spare = await sandbox.users(SPARE_TOKENS);
  const arbitrary = fuzzedRequests(operationsOf(), {
    tokens: [undefined, sandbox.host.token, ...buyers.map(({ token }) => token)],
    spareTokens: spare.map(({ token }) => token),
    productId: sale.id,
  });
  const samples: number[] = [];
  for (let done = 0; done < requests; done += BATCH) {
    const size = Math.min(BATCH, requests - done);
    await fuzzBatch(site, fc.sample(arbitrary, { seed: seed + done, numRuns: size }));
    samples.push(residentBytes(api));
    report(`${done + size} requests, ${site.problems.length} problems`);
  }
  return samples;
}

async function fuzzBatch(site: FuzzSite, batch: readonly FuzzedRequest[]): Promise<void> {
  const before = await stateOf(site);
  const changes: Changes = { users: 0, products: 0, orders: 0, doubtful: 0, units: 0 };
  await inParallel(batch, AT_ONCE, async (request) => {
    try {
      const answer = await site.http.send(request.method, request.path, request.ask);
      count(site, request, answer);
      note(changes, site, answer, request);
    } catch (error) {
      if (!(error instanceof NoAnswer)) throw error;
      changes.doubtful += 1;
      site.answers.set("no answer", (site.answers.get("no answer") ?? 0) + 1);
      // A refused body may be cut off while it is still being sent; nothing else may end without an answer.
      const cut = /EPIPE|ECONNRESET/.test(error.message) && request.ask.body !== undefined;
      if (!cut) site.problems.push(`no answer (${error.message}) to ${JSON.stringify(request)}`);
    }
  });
  compare(site, before, await stateOf(site), changes);
}

function count({ answers, problems }: FuzzSite, request: FuzzedRequest, answer: Answer): void {
  const { status, text } = answer;
  const silent = request.method === "HEAD";
  const kind = status < 400 || silent ? String(status) : `${status} ${codeOf(answer)}`;
  answers.set(kind, (answers.get(kind) ?? 0) + 1);
  const wellFormed =
    silent || status < 400 || /^application\/problem\+json/.test(answer.headers["content-type"] ?? "");
  if (status !== 500 && wellFormed) return;
  problems.push(`${status} ${text.slice(0, 300)} to ${JSON.stringify(request)}`);
}

function note(changes: Changes, { sale }: FuzzSite, answer: Answer, request: FuzzedRequest): void {
  const { status } = answer;
  if (status === 201 && request.operation === "signUp") changes.users += 1;
  if (status === 201 && request.operation === "openSale") changes.products += 1;
  if (status === 503) changes.doubtful += 1;
  if (status !== 202 || request.operation !== "placeOrder" || answer.headers["idempotent-replayed"]) return;
  const order = orderOf(answer);
  changes.orders += 1;
  if (order.productId === sale.id) changes.units += order.quantity;
}

async function stateOf({ sandbox, sale }: FuzzSite) {
  const { database, redis, admin } = sandbox;
  const rows = (table: string) => database.count("SELECT COUNT(*) FROM ??", [table]);
  const offsets = await admin.fetchTopicOffsets("flashpay.orders.v1");
  return {
    users: await rows("users"),
    products: await rows("products"),
    decided: (await rows("orders")) + (await rows("settlements")) + (await rows("dead_letters")),
    orders: offsets.reduce((sum, { high }) => sum + Number(high), 0),
    left: Number(await redis.hget(keys.stock(sale.id), "left")),
  };
}
type State = Awaited<ReturnType<typeof stateOf>>;

function compare({ problems }: FuzzSite, before: State, after: State, changes: Changes): void {
  const expected = {
    users: before.users + changes.users,
    products: before.products + changes.products,
    decided: before.decided,
    orders: before.orders + changes.orders,
    left: before.left - changes.units,
  };
  const slack = { users: 0, products: 0, decided: 0, orders: changes.doubtful, left: changes.doubtful * 100 };
  for (const name of Object.keys(expected) as (keyof State)[])
    if (Math.abs(after[name] - expected[name]) > slack[name])
      problems.push(`${name}: ${after[name]} after a batch whose answers make it ${expected[name]}`);
}
